package dev.sluice.converter;

import dev.sluice.checkpoint.Progress;
import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.kafka.EventPublisher;
import java.time.Duration;

/** Publishes how far a conversion is, or what it waits for, at most once a second. */
final class ProgressEvents implements Progress {
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final double GIGABYTE = 1e9;

    private final EventPublisher publisher;
    private final String runId;
    private final Direction direction;
    private final long bytesTotal;
    private long bytesChecked;
    private long nextNanos = System.nanoTime() + INTERVAL.toNanos();

    /** @param bytesTotal what there is to copy, as far as is known before the copy begins */
    ProgressEvents(EventPublisher publisher, String runId, Direction direction, long bytesTotal) {
        this.publisher = publisher;
        this.runId = runId;
        this.direction = direction;
        this.bytesTotal = bytesTotal;
    }

    @Override
    public synchronized void at(long bytesDone, long bytesTotal) {
        if (due()) {
            publisher.publish(new ConversionProgressed(runId, direction, bytesDone, bytesTotal));
        }
    }

    /** The target is held by another; the first time is told at once, however short the wait will be. */
    synchronized void waitingFor(String holder) {
        nextNanos = System.nanoTime() + INTERVAL.toNanos();
        before(holder);
    }

    /** The source is read to know whether it is converted already. */
    synchronized void hashing(long bytesHashed, long bytesToHash) {
        if (due()) {
            before("the hash of its source: %.1f of %.1f GB".formatted(bytesHashed / GIGABYTE, bytesToHash / GIGABYTE));
        }
    }

    /** What is there already is read once more before it is handed on. */
    synchronized void checking(long moreBytes) {
        bytesChecked += moreBytes;
        if (due()) {
            before("a full check of what is there: %.1f GB read".formatted(bytesChecked / GIGABYTE));
        }
    }

    private void before(String waitingFor) {
        publisher.publish(new ConversionProgressed(runId, direction, 0, bytesTotal, waitingFor));
    }

    private boolean due() {
        if (System.nanoTime() - nextNanos < 0) {
            return false;
        }
        nextNanos = System.nanoTime() + INTERVAL.toNanos();
        return true;
    }
}
