package dev.sluice.planner;

import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import dev.sluice.kafka.WorkReader;
import dev.sluice.quarkus.Readers;
import io.quarkus.runtime.Quarkus;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the readers: the own log first, then what others report, then requests. The partition of the requests elects the
 * planner that decides; the others follow and wait.
 */
@ApplicationScoped
class PlannerStart {
    private static final Logger LOG = LoggerFactory.getLogger(PlannerStart.class);
    private static final String GROUP = "sluice-planner";
    private static final Duration READING_DEADLINE = Duration.ofSeconds(120);
    private static final int EXIT_NOT_ELECTED = 4;

    private final KafkaConnection connection;
    private final Readers readers;
    private final RunKeeper keeper;
    private final RequestConsumer requests;
    private final LogTrimming trimming;
    private volatile boolean ending;

    PlannerStart(
            KafkaConnection connection,
            Readers readers,
            RunKeeper keeper,
            RequestConsumer requests,
            LogTrimming trimming) {
        this.connection = connection;
        this.readers = readers;
        this.keeper = keeper;
        this.requests = requests;
        this.trimming = trimming;
    }

    void start(@Observes StartupEvent event) {
        StateReader log = StateReader.start(connection, List.of(Topics.RUN_EVENTS), keeper::follow);
        readers.track("runs", log).awaitCaughtUp(READING_DEADLINE);
        AtomicReference<StateReader> others = new AtomicReference<>();
        others.set(StateReader.start(
                connection,
                List.of(Topics.INSTANCES, Topics.CHECKPOINTS, Topics.ENGINES, Topics.TRAINING),
                record -> keeper.observe(
                        record, others.get() != null && others.get().ready())));
        readers.track("others", others.get()).awaitCaughtUp(READING_DEADLINE);
        readers.track(
                "requests",
                WorkReader.startElected(connection, GROUP, Topics.RUN_REQUESTS, requests::take, this::elected));
    }

    void stop(@Observes ShutdownEvent event) {
        ending = true;
    }

    private void elected(boolean mine) {
        if (ending) {
            return;
        }
        if (!mine) {
            LOG.error("another planner was elected, so this one ends and starts anew as its stand-in");
            Quarkus.asyncExit(EXIT_NOT_ELECTED);
            return;
        }
        keeper.takeLog();
        // The log is fenced now: what stands in it is all there is, and it must be known before anything is decided.
        try (StateReader rest = StateReader.start(connection, List.of(Topics.RUN_EVENTS), keeper::follow)) {
            rest.awaitCaughtUp(READING_DEADLINE);
        }
        keeper.startDeciding(() -> Quarkus.asyncExit(EXIT_NOT_ELECTED));
        trimming.start();
        LOG.info("this planner is elected");
    }
}
