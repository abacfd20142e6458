package dev.sluice.rollout.core;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Publishes through Kafka: results of groups wait a moment for company, everything else leaves at once. */
public final class KafkaPublisher implements Publisher, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(KafkaPublisher.class);

    private final EventPublisher prompt;
    private final EventPublisher batching;
    // A producer blocks while it has no metadata: that must not stop the core.
    private final ExecutorService sender = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("rollout-publisher").daemon().factory());

    public KafkaPublisher(KafkaConnection connection) {
        this.prompt = EventPublisher.prompt(connection);
        this.batching = EventPublisher.batching(connection);
    }

    @Override
    public CompletableFuture<?> publish(Event event, @Nullable UUID causation) {
        EventPublisher publisher = switch (event) {
            case GroupEvent.GroupSampled sampled -> batching;
            case GroupEvent.GroupAbandoned abandoned -> batching;
            case GroupEvent.SamplesParked parked -> batching;
            default -> prompt;
        };
        try {
            return CompletableFuture.supplyAsync(() -> publisher.publish(event, causation), sender)
                    .thenCompose(acknowledged -> acknowledged)
                    .whenComplete((record, failure) -> logFailure(event, failure));
        } catch (RejectedExecutionException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static void logFailure(Event event, @Nullable Throwable failure) {
        if (failure != null) {
            LOG.warn(
                    "an event was not acknowledged event={} runId={} key={} error={}",
                    event.getClass().getSimpleName(),
                    event.runId(),
                    event.key(),
                    failure.getMessage());
        }
    }

    @Override
    public void close() {
        sender.close();
        prompt.close();
        batching.close();
    }
}
