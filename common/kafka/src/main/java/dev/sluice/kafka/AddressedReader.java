package dev.sluice.kafka;

import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.utils.Utils;

/**
 * Reads what is addressed to one instance: the partition its id hashes to, from the end at the start, records for others
 * skipped, nothing committed. Announce the instance only after {@link #listening()}.
 */
public final class AddressedReader extends PollLoop {
    private final Topics topic;
    private final String instanceId;
    private final EventHandler handler;
    private final CompletableFuture<Void> listening = new CompletableFuture<>();

    private AddressedReader(KafkaConnection connection, Topics topic, String instanceId, EventHandler handler) {
        super(connection, connection.consumerSettings(), connection.source() + "-tasks");
        this.topic = topic;
        this.instanceId = instanceId;
        this.handler = handler;
    }

    public static AddressedReader start(
            KafkaConnection connection, Topics topic, String instanceId, EventHandler handler) {
        AddressedReader reader = new AddressedReader(connection, topic, instanceId, handler);
        reader.start();
        return reader;
    }

    /** The partition that Kafka's default partitioner gives to records with this key. */
    public static int partitionOf(String key, Topics topic) {
        return Utils.toPositive(Utils.murmur2(key.getBytes(StandardCharsets.UTF_8))) % topic.partitions();
    }

    @Override
    void begin() {
        TopicPartition partition = new TopicPartition(topic.topicName(), partitionOf(instanceId, topic));
        consumer.assign(List.of(partition));
        consumer.seekToEnd(List.of(partition));
        consumer.position(partition); // seeks are lazy: what is sent from here on must not be missed
        listening.complete(null);
    }

    @Override
    void deliver(ConsumerRecord<byte[], byte[]> raw, EventRecord<Event> record) {
        if (record.event().key().equals(instanceId)) {
            handler.handle(record);
        }
    }

    @Override
    void failed(Throwable cause) {
        listening.completeExceptionally(cause);
    }

    /** Ends when every record sent from now on will be delivered. */
    public CompletableFuture<Void> listening() {
        return listening;
    }

    @Override
    boolean sendsDeadLetters() {
        return true;
    }

    @Override
    public boolean ready() {
        return listening.isDone() && !listening.isCompletedExceptionally();
    }
}
