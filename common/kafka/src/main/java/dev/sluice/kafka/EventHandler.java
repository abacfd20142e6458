package dev.sluice.kafka;

import dev.sluice.events.Event;

/** Takes events in the order of their partition, one at a time. */
@FunctionalInterface
public interface EventHandler {
    void handle(EventRecord<Event> record);
}
