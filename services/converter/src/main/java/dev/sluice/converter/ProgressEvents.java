package dev.sluice.converter;

import dev.sluice.checkpoint.Progress;
import dev.sluice.events.CheckpointEvent.ConversionProgressed;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.kafka.EventPublisher;
import java.time.Duration;

/** Publishes how far a conversion is, at most once a second. */
final class ProgressEvents implements Progress {
    private static final Duration INTERVAL = Duration.ofSeconds(1);

    private final EventPublisher publisher;
    private final String runId;
    private final Direction direction;
    private long nextNanos = System.nanoTime() + INTERVAL.toNanos();

    ProgressEvents(EventPublisher publisher, String runId, Direction direction) {
        this.publisher = publisher;
        this.runId = runId;
        this.direction = direction;
    }

    @Override
    public synchronized void at(long bytesDone, long bytesTotal) {
        if (System.nanoTime() - nextNanos >= 0) {
            nextNanos = System.nanoTime() + INTERVAL.toNanos();
            publisher.publish(new ConversionProgressed(runId, direction, bytesDone, bytesTotal));
        }
    }
}
