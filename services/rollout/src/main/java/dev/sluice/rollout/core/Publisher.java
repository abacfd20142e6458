package dev.sluice.rollout.core;

import dev.sluice.events.Event;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Where this instance's events go; those of one publisher keep their order. Never blocks the caller. */
public interface Publisher {
    /** Ends when the log has the event; fails where it could not be had. */
    CompletableFuture<?> publish(Event event, @Nullable UUID causation);

    default CompletableFuture<?> publish(Event event) {
        return publish(event, null);
    }
}
