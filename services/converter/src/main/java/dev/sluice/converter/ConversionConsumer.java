package dev.sluice.converter;

import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunKind;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.kafka.WorkReader;
import dev.sluice.quarkus.Readers;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;

/** Takes planned runs and last cuts as work: the consumer group gives each to one converter. */
@ApplicationScoped
public class ConversionConsumer {
    private static final String GROUP = "sluice-converter";

    private final KafkaConnection connection;
    private final Readers readers;
    private final PlannedRuns plannedRuns;
    private final ConversionsInUse inUse;
    private final Conversions conversions;
    private final CacheKeeping keeping;

    ConversionConsumer(
            KafkaConnection connection,
            Readers readers,
            PlannedRuns plannedRuns,
            ConversionsInUse inUse,
            Conversions conversions,
            CacheKeeping keeping) {
        this.connection = connection;
        this.readers = readers;
        this.plannedRuns = plannedRuns;
        this.inUse = inUse;
        this.conversions = conversions;
        this.keeping = keeping;
    }

    void start(@Observes StartupEvent event) {
        StateReader runs = readers.track(
                "runs", StateReader.start(connection, List.of(Topics.RUN_EVENTS, Topics.CHECKPOINTS), this::learn));
        keeping.start(runs::ready);
        readers.track(
                "conversions",
                WorkReader.start(connection, GROUP, List.of(Topics.RUN_EVENTS, Topics.TRAINING), this::take));
    }

    private void learn(EventRecord<Event> record) {
        plannedRuns.apply(record);
        inUse.apply(record);
    }

    private void take(EventRecord<Event> record) {
        if (record.event() instanceof RunPlanned planned) {
            if (!RunKind.of(planned.request()).trains()) {
                return; // engines start from the model as it came
            }
            conversions.convert(planned, record.id());
            keeping.soon();
        } else if (record.event() instanceof CheckpointSaved cut && cut.last()) {
            // The plan is older than the cut, but topics have no common order: this one may not be read yet.
            plannedRuns.awaitModelPath(cut.runId()).ifPresent(path -> conversions.export(cut, path, record.id()));
        }
    }
}
