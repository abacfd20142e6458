package dev.sluice.kafka;

import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads topics as state: every partition from the beginning (or from a given offset), without a consumer group, for ever.
 * It has caught up when it has delivered everything that was committed when it started.
 */
public final class StateReader extends PollLoop {
    private final List<Topics> topics;
    private final Map<TopicPartition, Long> starts;
    private final EventHandler handler;
    private final CompletableFuture<Void> caughtUp = new CompletableFuture<>();
    private Map<TopicPartition, Long> ends = Map.of();

    private StateReader(
            KafkaConnection connection, List<Topics> topics, Map<TopicPartition, Long> starts, EventHandler handler) {
        super(connection, connection.consumerSettings(), connection.source() + "-state");
        this.topics = List.copyOf(topics);
        this.starts = Map.copyOf(starts);
        this.handler = handler;
    }

    /** Starts to read whole topics. */
    public static StateReader start(KafkaConnection connection, List<Topics> topics, EventHandler handler) {
        return start(connection, topics, Map.of(), handler);
    }

    /**
     * Starts to read; a run's partition of a topic may begin at an offset instead of the beginning.
     *
     * @param starts first offset by topic and partition; the others begin at 0
     */
    public static StateReader start(
            KafkaConnection connection, List<Topics> topics, Map<TopicPartition, Long> starts, EventHandler handler) {
        StateReader reader = new StateReader(connection, topics, starts, handler);
        reader.start();
        return reader;
    }

    @Override
    void begin() {
        List<TopicPartition> partitions = new ArrayList<>();
        for (Topics topic : topics) {
            consumer.partitionsFor(topic.topicName())
                    .forEach(info -> partitions.add(new TopicPartition(info.topic(), info.partition())));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        starts.forEach(consumer::seek);
        ends = new HashMap<>(consumer.endOffsets(partitions));
        polled();
    }

    @Override
    void deliver(ConsumerRecord<byte[], byte[]> raw, EventRecord<Event> record) {
        handler.handle(record);
    }

    @Override
    void polled() {
        if (!caughtUp.isDone()) {
            ends.entrySet().removeIf(end -> consumer.position(end.getKey()) >= end.getValue());
            if (ends.isEmpty()) {
                caughtUp.complete(null);
            }
        }
    }

    @Override
    void failed(Throwable cause) {
        caughtUp.completeExceptionally(cause);
    }

    /** Ends when everything that was committed at the start is delivered. */
    public CompletableFuture<Void> caughtUp() {
        return caughtUp;
    }

    /** @throws KafkaUnavailableException if that takes longer than the deadline */
    public void awaitCaughtUp(Duration deadline) {
        try {
            caughtUp.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaUnavailableException("interrupted while reading " + topics, e);
        } catch (ExecutionException | TimeoutException e) {
            throw new KafkaUnavailableException("could not read " + topics + " to their ends within " + deadline, e);
        }
    }
}
