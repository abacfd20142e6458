package dev.sluice.trainer.log;

import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/**
 * A run's log of results, read only as far ahead as the next step needs: a replay of a long run holds the results of few
 * steps in memory.
 */
public final class LoggedResults implements StepResults {
    private static final int READ_AHEAD = 256;
    private static final Duration PAUSE = Duration.ofMillis(50);
    private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);

    private final TrainingState state;
    private final BlockingQueue<LogEntry<Event>> ahead = new ArrayBlockingQueue<>(READ_AHEAD);
    private final Set<String> read = new HashSet<>();
    private final StateReader reader;
    private volatile boolean closed;

    /** @param state takes what is read */
    public LoggedResults(KafkaConnection connection, String runId, long offset, TrainingState state) {
        this.state = state;
        this.reader = StateReader.startRun(connection, runId, Map.of(Topics.GROUP_EVENTS, offset), record -> {
            if (record.event().runId().equals(runId) && record.event() instanceof GroupSampled) {
                hold(LogRecords.entry(record));
            }
        });
    }

    private void hold(LogEntry<Event> entry) {
        try {
            boolean held = false;
            while (!held && !closed) {
                held = ahead.offer(entry, PAUSE.toMillis(), TimeUnit.MILLISECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * What a step was trained on.
     *
     * @throws IllegalStateException if the log ends without one of the results, or it is not the first of its group
     */
    @Override
    public List<GroupSampled> resultsOf(BatchFormed formed) throws InterruptedException {
        Set<String> missing = new HashSet<>();
        formed.groups().stream()
                .map(GroupUse::resultId)
                .filter(id -> !read.contains(id))
                .forEach(missing::add);
        long silentSince = System.nanoTime();
        while (!missing.isEmpty()) {
            boolean whole = reader.caughtUp().isDone();
            LogEntry<Event> next = ahead.poll(PAUSE.toMillis(), TimeUnit.MILLISECONDS);
            if (next != null) {
                silentSince = System.nanoTime();
                state.apply(next);
                read.add(next.id());
                missing.remove(next.id());
            } else if (whole) {
                break;
            } else if (System.nanoTime() - silentSince > LONGEST_SILENCE.toNanos()) {
                String silence = "the broker gave no result for %d s".formatted(LONGEST_SILENCE.toSeconds());
                throw new KafkaUnavailableException(silence, new TimeoutException(silence));
            }
        }
        return state.resultsOf(formed.groups());
    }

    @Override
    public void close() {
        closed = true;
        reader.close();
    }
}
