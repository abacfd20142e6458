package dev.sluice.kafka;

import dev.sluice.events.Event;

/** Takes events in the order of their partition, on the reader's thread. */
@FunctionalInterface
public interface EventHandler {
    void handle(EventRecord<Event> record);
}
