package dev.sluice.cli.run;

import dev.sluice.cli.CommandFailure;
import dev.sluice.events.Event;
import dev.sluice.kafka.EventReader;
import dev.sluice.kafka.EventRecord;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Watches one run while its events come in. */
public final class RunFollower implements AutoCloseable {
    private final RunProjection run;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable EventReader reader;

    RunFollower(RunProjection run) {
        this.run = run;
    }

    void reads(EventReader started) {
        reader = started;
        started.onFailure(this::wake);
    }

    void take(EventRecord<Event> record) {
        lock.lock();
        try {
            run.apply(record);
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void wake() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Looks at the run while nothing changes it. */
    public <T> T look(Function<RunProjection, T> question) {
        lock.lock();
        try {
            return question.apply(run);
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits until the question has an answer.
     *
     * @param question empty while there is none yet; asked anew after every event
     * @return empty if there was none in time
     * @throws CommandFailure if the topics cannot be read any more
     */
    public <T> Optional<T> await(Function<RunProjection, Optional<T>> question, Duration deadline) {
        long left = deadline.toNanos();
        lock.lock();
        try {
            Optional<T> answer = question.apply(run);
            while (answer.isEmpty() && left > 0) {
                if (reader != null && reader.failure() != null) {
                    throw CommandFailure.failed("the topics cannot be read any more: " + reader.failure());
                }
                left = changed.awaitNanos(left);
                answer = question.apply(run);
            }
            return answer;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return Optional.empty();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void close() {
        if (reader != null) {
            reader.close();
        }
    }
}
