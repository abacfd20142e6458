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
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads topics as state: every partition from the beginning (or from a given offset), without a consumer group, for ever.
 * It has caught up when it has delivered everything that was committed when it started.
 */
public final class StateReader extends PollLoop {
    private final String what;
    private final String bootstrapServers;
    private final Function<KafkaConsumer<byte[], byte[]>, List<TopicPartition>> choice;
    private final Map<TopicPartition, Long> starts;
    private final EventHandler handler;
    private final CompletableFuture<Void> caughtUp = new CompletableFuture<>();
    private Map<TopicPartition, Long> ends = Map.of();

    private StateReader(
            KafkaConnection connection,
            String what,
            Function<KafkaConsumer<byte[], byte[]>, List<TopicPartition>> choice,
            Map<TopicPartition, Long> starts,
            EventHandler handler) {
        super(connection, connection.consumerSettings(), connection.source() + "-state-" + what);
        this.what = what;
        this.bootstrapServers = connection.bootstrapServers();
        this.choice = choice;
        this.starts = Map.copyOf(starts);
        this.handler = handler;
    }

    /** Starts to read whole topics from their beginnings. */
    public static StateReader start(KafkaConnection connection, List<Topics> topics, EventHandler handler) {
        StateReader reader = new StateReader(
                connection, topics.toString(), consumer -> allPartitions(consumer, topics), Map.of(), handler);
        reader.start();
        return reader;
    }

    /**
     * Starts to read the partitions that hold one run. Events of other runs in them are delivered too.
     *
     * @param topics each with the offset to begin at; 0 is the beginning of the log. One whose key is not the run is read whole
     */
    public static StateReader startRun(
            KafkaConnection connection, String runId, Map<Topics, Long> topics, EventHandler handler) {
        Map<TopicPartition, Long> starts = new HashMap<>();
        List<Topics> whole = new ArrayList<>();
        topics.forEach((topic, offset) -> {
            if (topic.key() == Topics.Key.RUN) {
                starts.put(new TopicPartition(topic.topicName(), AddressedReader.partitionOf(runId, topic)), offset);
            } else {
                whole.add(topic);
            }
        });
        StateReader reader = new StateReader(
                connection,
                runId,
                consumer -> Stream.concat(starts.keySet().stream(), allPartitions(consumer, whole).stream())
                        .toList(),
                starts,
                handler);
        reader.start();
        return reader;
    }

    private static List<TopicPartition> allPartitions(KafkaConsumer<byte[], byte[]> consumer, List<Topics> topics) {
        List<TopicPartition> partitions = new ArrayList<>();
        for (Topics topic : topics) {
            consumer.partitionsFor(topic.topicName())
                    .forEach(info -> partitions.add(new TopicPartition(info.topic(), info.partition())));
        }
        return partitions;
    }

    @Override
    void begin() {
        List<TopicPartition> partitions = choice.apply(consumer);
        consumer.assign(partitions);
        Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(partitions);
        // Retention may have removed what a start names: then the log begins later.
        beginnings.forEach(
                (partition, first) -> consumer.seek(partition, Math.max(first, starts.getOrDefault(partition, 0L))));
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
            throw new KafkaUnavailableException("interrupted while reading " + what, e);
        } catch (ExecutionException | TimeoutException e) {
            throw new KafkaUnavailableException(
                    "could not read %s to the end within %d s; see whether a broker runs at %s and can be reached from here"
                            .formatted(what, deadline.toSeconds(), bootstrapServers),
                    e);
        }
    }

    @Override
    boolean sendsDeadLetters() {
        return false;
    }

    @Override
    public boolean ready() {
        return caughtUp.isDone() && !caughtUp.isCompletedExceptionally();
    }
}
