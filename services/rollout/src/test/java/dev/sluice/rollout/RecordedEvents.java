package dev.sluice.rollout;

import dev.sluice.events.Event;
import dev.sluice.rollout.core.Publisher;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A log that acknowledges at once, unless a test makes it fail. */
final class RecordedEvents implements Publisher {
    final List<Event> events = new ArrayList<>();
    int failures;

    @Override
    public CompletableFuture<?> publish(Event event, @Nullable UUID causation) {
        if (failures > 0) {
            failures--;
            return CompletableFuture.failedFuture(new IllegalStateException("no broker"));
        }
        events.add(event);
        return CompletableFuture.completedFuture(event);
    }

    <E extends Event> List<E> of(Class<E> type) {
        return events.stream().filter(type::isInstance).map(type::cast).toList();
    }
}
