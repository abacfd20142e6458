package dev.sluice.domain.training;

import dev.sluice.events.Event;

/**
 * An event at its place in a log.
 *
 * @param id its CloudEvents id
 * @param partition where it stands
 * @param offset its place in the partition
 */
public record LogEntry<E extends Event>(E event, String id, int partition, long offset) {}
