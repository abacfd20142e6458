package dev.sluice.kafka;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.uuid.Generators;
import com.fasterxml.uuid.impl.TimeBasedEpochGenerator;
import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunMetric;
import dev.sluice.events.RunRequest;
import dev.sluice.events.Topics;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.jspecify.annotations.Nullable;

/**
 * CloudEvents 1.0 in Kafka's binary mode: attributes in headers, plain JSON in the value. Everything read is hostile
 * until it is checked here.
 *
 * @see <a href="https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md">Kafka
 *     protocol binding for CloudEvents</a>
 */
final class EventCodec {
    private static final TimeBasedEpochGenerator IDS = Generators.timeBasedEpochGenerator();

    private EventCodec() {}

    /** What became of a record that was read. */
    sealed interface Decoded {
        record Known(EventRecord<Event> record) implements Decoded {}

        /** A type of a newer version; skipped and counted. */
        record Unknown(String type) implements Decoded {}

        /** Not an event: a dead letter. */
        record Broken(String reason) implements Decoded {}
    }

    /** The CloudEvents attributes of a record to write. */
    private record Attributes(Class<? extends Event> type, String key, String subject, String source, UUID id) {}

    static ProducerRecord<byte[], byte[]> encode(Event event, String source, @Nullable UUID causation, UUID id) {
        RunMetric.requireKnown(event);
        String subject = event.runId().isEmpty() ? event.key() : event.runId();
        Attributes attributes = new Attributes(event.getClass(), event.key(), subject, source, id);
        ProducerRecord<byte[], byte[]> record = encode(Topics.of(event), attributes, toJson(event));
        if (causation != null) {
            put(record.headers(), "ce_causationid", causation.toString());
        }
        return record;
    }

    /** A request as its client wrote it: what is absent in the JSON stays absent. */
    static ProducerRecord<byte[], byte[]> encodeRequest(
            Class<? extends RunRequest> type, String runId, byte[] json, String source, UUID id) {
        return encode(Topics.RUN_REQUESTS, new Attributes(type, runId, runId, source, id), json);
    }

    private static ProducerRecord<byte[], byte[]> encode(Topics topic, Attributes attributes, byte[] value) {
        if (value.length > EventJson.MAX_BYTES) {
            throw new IllegalArgumentException("%s of %s has %d bytes; a record holds %d"
                    .formatted(attributes.type().getSimpleName(), attributes.key(), value.length, EventJson.MAX_BYTES));
        }
        ProducerRecord<byte[], byte[]> record =
                new ProducerRecord<>(topic.topicName(), null, attributes.key().getBytes(StandardCharsets.UTF_8), value);
        Headers headers = record.headers();
        put(headers, "ce_specversion", "1.0");
        put(headers, "ce_id", attributes.id().toString());
        put(headers, "ce_type", Event.typeOf(attributes.type()));
        put(headers, "ce_source", attributes.source());
        put(headers, "ce_subject", attributes.subject());
        put(headers, "ce_time", Instant.now().toString());
        put(headers, "content-type", "application/json");
        return record;
    }

    static UUID newId() {
        return IDS.generate();
    }

    static Decoded decode(ConsumerRecord<byte[], byte[]> record) {
        String type = header(record, "ce_type");
        if (type == null) {
            return new Decoded.Broken("no ce_type header");
        }
        Class<? extends Event> event = Topics.eventOfType(type);
        if (event == null) {
            return new Decoded.Unknown(type);
        }
        if (record.value() == null || record.value().length > EventJson.MAX_BYTES) {
            return new Decoded.Broken(record.value() == null ? "no value" : record.value().length + " bytes of value");
        }
        try {
            String id = header(record, "ce_id");
            String causation = header(record, "ce_causationid");
            String time = header(record, "ce_time");
            return new Decoded.Known(new EventRecord<>(
                    EventJson.mapper().readValue(record.value(), event),
                    id == null ? new UUID(record.partition(), record.offset()) : UUID.fromString(id),
                    String.valueOf(header(record, "ce_source")),
                    time == null ? Instant.ofEpochMilli(record.timestamp()) : Instant.parse(time),
                    causation == null ? null : UUID.fromString(causation),
                    record.topic(),
                    record.partition(),
                    record.offset()));
        } catch (IOException | IllegalArgumentException | DateTimeParseException | NullPointerException e) {
            return new Decoded.Broken(type + ": " + firstLine(e));
        }
    }

    static @Nullable String header(ConsumerRecord<byte[], byte[]> record, String name) {
        Header header = record.headers().lastHeader(name);
        return header == null || header.value() == null ? null : new String(header.value(), StandardCharsets.UTF_8);
    }

    private static byte[] toJson(Event event) {
        try {
            return EventJson.mapper().writeValueAsBytes(event);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("an event that cannot be written: " + event.getClass(), e);
        }
    }

    private static void put(Headers headers, String name, String value) {
        headers.add(name, value.getBytes(StandardCharsets.UTF_8));
    }

    private static String firstLine(Exception e) {
        return String.valueOf(e.getMessage())
                .lines()
                .findFirst()
                .orElse(e.getClass().getSimpleName());
    }
}
