package dev.sluice.kafka;

import dev.sluice.events.Event;
import java.time.Instant;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * An event with its CloudEvents attributes and its place in the log.
 *
 * @param id the CloudEvents id (UUIDv7)
 * @param source who wrote it
 * @param causation id of the event that caused it, where there is one
 */
public record EventRecord<E extends Event>(
        E event,
        UUID id,
        String source,
        Instant time,
        @Nullable UUID causation,
        String topic,
        int partition,
        long offset) {}
