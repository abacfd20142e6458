package dev.sluice.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.Topics;
import java.nio.charset.StandardCharsets;
import java.util.Optional;
import java.util.UUID;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.jupiter.api.Test;

class EventCodecTest {
    private static final UUID CAUSE = UUID.fromString("01890a5d-ac96-774b-bcce-b302099a8057");

    @Test
    void anEventIsACloudEventInBinaryMode() {
        ProducerRecord<byte[], byte[]> record =
                EventCodec.encode(new RunQueued("tiny-1", "no trainer"), "planner", CAUSE, EventCodec.newId());

        assertThat(record.topic()).isEqualTo("sluice.runs.events.v1");
        assertThat(text(record.key())).isEqualTo("tiny-1");
        assertThat(text(record.value())).isEqualTo("{\"runId\":\"tiny-1\",\"reason\":\"no trainer\",\"position\":0}");
        assertThat(header(record, "ce_specversion")).isEqualTo("1.0");
        assertThat(header(record, "ce_type")).isEqualTo("dev.sluice.RunQueued.v1");
        assertThat(header(record, "ce_source")).isEqualTo("planner");
        assertThat(header(record, "ce_subject")).isEqualTo("tiny-1");
        assertThat(header(record, "ce_causationid")).isEqualTo(CAUSE.toString());
        assertThat(header(record, "content-type")).isEqualTo("application/json");
        assertThat(UUID.fromString(header(record, "ce_id")).version()).isEqualTo(7);
    }

    @Test
    void whatIsWrittenIsReadAgain() {
        Event event = new RunQueued("tiny-1", "no trainer");
        ProducerRecord<byte[], byte[]> record = EventCodec.encode(event, "planner", CAUSE, EventCodec.newId());

        var decoded = EventCodec.decode(read(record.value(), record));

        assertThat(decoded).isInstanceOfSatisfying(EventCodec.Decoded.Known.class, known -> {
            assertThat(known.record().event()).isEqualTo(event);
            assertThat(known.record().causation()).isEqualTo(CAUSE);
            assertThat(known.record().offset()).isEqualTo(17);
        });
    }

    @Test
    void fieldsOfANewerVersionAreIgnored() {
        byte[] value =
                "{\"runId\":\"tiny-1\",\"reason\":\"r\",\"since\":\"tomorrow\"}".getBytes(StandardCharsets.UTF_8);

        var decoded = EventCodec.decode(read(value, encoded()));

        assertThat(decoded).isInstanceOf(EventCodec.Decoded.Known.class);
    }

    @Test
    void aTypeOfANewerVersionIsSkippedByName() {
        ProducerRecord<byte[], byte[]> record = encoded();
        record.headers().add("ce_type", "dev.sluice.RunPondered.v1".getBytes(StandardCharsets.UTF_8));

        assertThat(EventCodec.decode(read(record.value(), record)))
                .isEqualTo(new EventCodec.Decoded.Unknown("dev.sluice.RunPondered.v1"));
    }

    @Test
    void whatIsNoEventIsBrokenWithTheReason() {
        ProducerRecord<byte[], byte[]> record = encoded();

        assertBroken(read("{\"runId\":".getBytes(StandardCharsets.UTF_8), record), "RunQueued");
        assertBroken(read(new byte[EventJson.MAX_BYTES + 1], record), "bytes of value");
        assertBroken(read(null, record), "no value");
        assertBroken(
                new ConsumerRecord<>(Topics.RUN_EVENTS.topicName(), 0, 1, new byte[0], record.value()), "no ce_type");
        record.headers().add("ce_id", "not-a-uuid".getBytes(StandardCharsets.UTF_8));
        assertBroken(read(record.value(), record), "not-a-uuid");
    }

    @Test
    void anEventLargerThanARecordIsRefusedWithItsSize() {
        Event event = new RunQueued("tiny-1", "x".repeat(EventJson.MAX_BYTES));

        assertThatThrownBy(() -> EventCodec.encode(event, "planner", null, EventCodec.newId()))
                .hasMessageContaining("RunQueued of tiny-1 has 1048")
                .hasMessageContaining("holds 1048576");
    }

    private static ProducerRecord<byte[], byte[]> encoded() {
        return EventCodec.encode(new RunQueued("tiny-1", "r"), "planner", null, EventCodec.newId());
    }

    private static ConsumerRecord<byte[], byte[]> read(byte[] value, ProducerRecord<byte[], byte[]> headers) {
        return new ConsumerRecord<>(
                Topics.RUN_EVENTS.topicName(),
                0,
                17,
                0,
                TimestampType.CREATE_TIME,
                0,
                value == null ? -1 : value.length,
                "tiny-1".getBytes(StandardCharsets.UTF_8),
                value,
                new RecordHeaders(headers.headers().toArray()),
                Optional.empty());
    }

    private static void assertBroken(ConsumerRecord<byte[], byte[]> record, String reason) {
        assertThat(EventCodec.decode(record))
                .isInstanceOfSatisfying(
                        EventCodec.Decoded.Broken.class,
                        broken -> assertThat(broken.reason()).contains(reason));
    }

    private static String header(ProducerRecord<byte[], byte[]> record, String name) {
        return text(record.headers().lastHeader(name).value());
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
