package dev.sluice.cli.run;

import dev.sluice.domain.audit.RunAudit;
import dev.sluice.events.Event;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.Topics;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.List;

/** Reads a run's log while it is written, and says at the end where it breaks the protocols' invariants. */
public final class LogWatch implements AutoCloseable {
    private static final List<Topics> TOPICS =
            List.of(Topics.ENGINES, Topics.GROUP_EVENTS, Topics.TRAINING, Topics.RUN_EVENTS);
    private static final Duration READ_DEADLINE = Duration.ofSeconds(30);

    private final KafkaConnection connection;
    private final RunAudit audit;
    private final StateReader reader;

    private LogWatch(KafkaConnection connection, String runId) {
        this.connection = connection;
        this.audit = new RunAudit(runId);
        this.reader = StateReader.start(connection, TOPICS, this::take);
    }

    static LogWatch start(KafkaConnection connection, String runId) {
        return new LogWatch(connection, runId);
    }

    private synchronized void take(EventRecord<Event> record) {
        audit.apply(record.event(), record.id());
    }

    /**
     * What is wrong in everything that the log holds now.
     *
     * @param maxPolicyLag that the run allows
     * @param staleSamples what it does with older ones
     */
    public List<String> findings(int maxPolicyLag, StaleSamples staleSamples) {
        // Once more to the end: the first reader may still be behind. What both have read counts once.
        try (StateReader rest = StateReader.start(connection, TOPICS, this::take)) {
            rest.awaitCaughtUp(READ_DEADLINE);
        }
        synchronized (this) {
            return audit.findings(maxPolicyLag, staleSamples);
        }
    }

    @Override
    public void close() {
        reader.close();
    }
}
