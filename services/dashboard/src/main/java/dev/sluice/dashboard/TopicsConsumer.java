package dev.sluice.dashboard;

import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.quarkus.Readers;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.List;

/** Feeds the projection with every topic of facts, from their beginnings. */
@ApplicationScoped
public class TopicsConsumer {
    private static final List<Topics> TOPICS = List.of(
            Topics.RUN_EVENTS,
            Topics.INSTANCES,
            Topics.CHECKPOINTS,
            Topics.GROUP_EVENTS,
            Topics.WEIGHTS,
            Topics.ENGINES,
            Topics.TRAINING,
            Topics.METRICS);

    private final KafkaConnection connection;
    private final Readers readers;
    private final Projection projection;

    TopicsConsumer(KafkaConnection connection, Readers readers, Projection projection) {
        this.connection = connection;
        this.readers = readers;
        this.projection = projection;
    }

    void start(@Observes StartupEvent event) {
        readers.track("topics", StateReader.start(connection, TOPICS, projection::apply));
    }
}
