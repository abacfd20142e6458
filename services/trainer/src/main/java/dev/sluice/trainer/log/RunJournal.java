package dev.sluice.trainer.log;

import dev.sluice.domain.training.LogEntry;
import dev.sluice.events.Event;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.RunLog;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The run's log as its one writer sees it: what is appended is applied to the state at once. For the training thread alone.
 */
public final class RunJournal implements AutoCloseable {
    private final RunLog log;
    private Consumer<LogEntry<Event>> state = entry -> {};

    private RunJournal(RunLog log) {
        this.log = log;
    }

    /** Opens the log; whoever held it before can write no more. */
    public static RunJournal open(KafkaConnection connection, String runId) {
        return new RunJournal(RunLog.ofTrainer(connection, runId));
    }

    /** Says what is to hear of appended events. */
    public void applyTo(Consumer<LogEntry<Event>> newState) {
        this.state = newState;
    }

    /** Appends the events in one transaction, or none of them. */
    public List<EventRecord<Event>> append(List<? extends Event> events, @Nullable UUID causation) {
        List<EventRecord<Event>> appended = log.append(events, causation);
        appended.forEach(record -> state.accept(LogRecords.entry(record)));
        return appended;
    }

    public EventRecord<Event> append(Event event) {
        return append(List.of(event), null).getFirst();
    }

    @Override
    public void close() {
        log.close();
    }
}
