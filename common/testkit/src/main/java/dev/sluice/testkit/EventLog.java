package dev.sluice.testkit;

import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/** What a test sees of the topics it follows, from their beginnings, in the order of each partition. */
public final class EventLog implements AutoCloseable {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Duration POLL = Duration.ofMillis(20);

    private final List<EventRecord<Event>> records = new CopyOnWriteArrayList<>();
    private final StateReader reader;

    private EventLog(KafkaConnection connection, List<Topics> topics) {
        this.reader = StateReader.start(connection, topics, records::add);
    }

    /** Returns when all that was published before the call is delivered. */
    public static EventLog follow(KafkaConnection connection, Topics... topics) {
        EventLog log = new EventLog(connection, List.of(topics));
        log.reader.awaitCaughtUp(DEADLINE);
        return log;
    }

    /** All records so far. */
    public List<EventRecord<Event>> records() {
        return List.copyOf(records);
    }

    /** All records of one run so far. */
    public List<EventRecord<Event>> recordsOf(String runId) {
        return records.stream()
                .filter(record -> record.event().runId().equals(runId))
                .toList();
    }

    /** The events of one type and one run so far. */
    public <E extends Event> List<E> events(String runId, Class<E> type) {
        return recordsOf(runId).stream()
                .map(EventRecord::event)
                .filter(type::isInstance)
                .map(type::cast)
                .toList();
    }

    /** Waits up to 30 s for the first event of a type in a run. */
    public <E extends Event> E await(String runId, Class<E> type) {
        return await(runId, type, any -> true, DEADLINE);
    }

    /**
     * Waits for the first event of a type in a run that fulfils a condition.
     *
     * @throws AssertionError after the deadline, with the events of the run that were seen
     */
    public <E extends Event> E await(String runId, Class<E> type, Predicate<E> condition, Duration deadline) {
        try {
            return Awaitility.await()
                    .atMost(deadline)
                    .pollInterval(POLL)
                    .until(() -> events(runId, type).stream().filter(condition).findFirst(), Optional::isPresent)
                    .orElseThrow();
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "No fitting " + type.getSimpleName() + " of " + runId + " within "
                            + deadline.toSeconds() + " s; seen of this run: "
                            + recordsOf(runId).stream().map(EventRecord::event).toList(),
                    e);
        }
    }

    @Override
    public void close() {
        reader.close();
    }
}
