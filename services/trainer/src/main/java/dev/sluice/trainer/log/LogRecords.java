package dev.sluice.trainer.log;

import dev.sluice.domain.training.LogEntry;
import dev.sluice.events.Event;
import dev.sluice.kafka.EventRecord;

/** Records of topics as the rules of training take them. */
public final class LogRecords {
    private LogRecords() {}

    public static LogEntry<Event> entry(EventRecord<? extends Event> record) {
        return new LogEntry<>(record.event(), record.id().toString(), record.partition(), record.offset());
    }
}
