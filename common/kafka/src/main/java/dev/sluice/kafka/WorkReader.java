package dev.sluice.kafka;

import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Reads topics as work shared by a consumer group. The handler returns when the resulting event is acknowledged; then the
 * offset is committed. A record may therefore come twice, never not at all.
 */
public final class WorkReader extends PollLoop {
    private final List<Topics> topics;
    private final EventHandler handler;
    private final @Nullable Consumer<RawRecord> rawHandler;
    private final Consumer<Boolean> elected;

    private WorkReader(
            KafkaConnection connection,
            String group,
            List<Topics> topics,
            EventHandler handler,
            @Nullable Consumer<RawRecord> rawHandler,
            Consumer<Boolean> elected) {
        super(connection, settings(connection, group), connection.source() + "-work");
        this.topics = List.copyOf(topics);
        this.handler = handler;
        this.rawHandler = rawHandler;
        this.elected = elected;
    }

    public static WorkReader start(
            KafkaConnection connection, String group, List<Topics> topics, EventHandler handler) {
        WorkReader reader = new WorkReader(connection, group, topics, handler, null, any -> {});
        reader.start();
        return reader;
    }

    /** For a topic that is read strictly: the handler gets every record as it came, broken ones too, and answers it. */
    public static WorkReader startRaw(
            KafkaConnection connection, String group, Topics topic, Consumer<RawRecord> handler) {
        return startElected(connection, group, topic, handler, any -> {});
    }

    /**
     * As {@link #startRaw}, for a topic of one partition that elects one process of the group.
     *
     * @param elected on the reader's thread: true before the first record, false when another process takes over
     */
    public static WorkReader startElected(
            KafkaConnection connection,
            String group,
            Topics topic,
            Consumer<RawRecord> handler,
            Consumer<Boolean> elected) {
        WorkReader reader = new WorkReader(connection, group, List.of(topic), record -> {}, handler, elected);
        reader.start();
        return reader;
    }

    private static Map<String, Object> settings(KafkaConnection connection, String group) {
        var settings = connection.consumerSettings();
        settings.put(ConsumerConfig.GROUP_ID_CONFIG, group);
        // A newcomer must not take partitions from those who read them.
        settings.put(ConsumerConfig.PARTITION_ASSIGNMENT_STRATEGY_CONFIG, CooperativeStickyAssignor.class.getName());
        settings.put(ConsumerConfig.SESSION_TIMEOUT_MS_CONFIG, 6000);
        settings.put(ConsumerConfig.HEARTBEAT_INTERVAL_MS_CONFIG, 2000);
        settings.put(ConsumerConfig.MAX_POLL_RECORDS_CONFIG, 1);
        settings.put(ConsumerConfig.MAX_POLL_INTERVAL_MS_CONFIG, 3_600_000);
        return settings;
    }

    @Override
    void begin() {
        consumer.subscribe(topics.stream().map(Topics::topicName).toList(), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                tell(partitions, true);
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                tell(partitions, false);
            }
        });
    }

    private void tell(Collection<TopicPartition> partitions, boolean mine) {
        if (!partitions.isEmpty()) {
            elected.accept(mine);
        }
    }

    @Override
    void take(ConsumerRecord<byte[], byte[]> record) {
        if (rawHandler == null) {
            super.take(record);
        } else {
            rawHandler.accept(new RawRecord(
                    EventCodec.header(record, "ce_type"),
                    EventCodec.header(record, "ce_id"),
                    record.key() == null ? null : new String(record.key(), StandardCharsets.UTF_8),
                    record.value() == null ? new byte[0] : record.value(),
                    record.offset()));
        }
        consumer.commitSync(Map.of(
                new TopicPartition(record.topic(), record.partition()), new OffsetAndMetadata(record.offset() + 1)));
    }

    @Override
    void deliver(ConsumerRecord<byte[], byte[]> raw, EventRecord<Event> record) {
        handler.handle(record);
    }

    @Override
    boolean sendsDeadLetters() {
        return true;
    }

    @Override
    public boolean ready() {
        return failure() == null;
    }
}
