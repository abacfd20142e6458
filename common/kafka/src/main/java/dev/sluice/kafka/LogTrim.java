package dev.sluice.kafka;

import dev.sluice.events.Topics;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.TopicPartition;

/**
 * Deletes the oldest records of a topic's partitions. Readers no longer get them at once; the broker frees the disk of a
 * log segment when all of it is deleted. A partition's beginning only moves forward, so asking twice changes nothing.
 */
public final class LogTrim {
    static final Duration DEADLINE = Duration.ofSeconds(30);

    private final KafkaConnection connection;
    private final Topics topic;

    public LogTrim(KafkaConnection connection, Topics topic) {
        this.connection = connection;
        this.topic = topic;
    }

    /** The partition that holds a run or whatever else is the topic's key. */
    public int partitionOf(String key) {
        return AddressedReader.partitionOf(key, topic);
    }

    /**
     * The offset of the first record that is still there, by partition.
     *
     * @throws KafkaUnavailableException if the broker does not answer in time
     */
    public Map<Integer, Long> beginnings() {
        return ask(
                "read where %s begins",
                admin -> {
                    Map<TopicPartition, OffsetSpec> earliest = IntStream.range(0, topic.partitions())
                            .boxed()
                            .collect(Collectors.toMap(this::partition, number -> OffsetSpec.earliest()));
                    Map<Integer, Long> beginnings = new HashMap<>();
                    answer(admin.listOffsets(earliest).all())
                            .forEach((partition, place) -> beginnings.put(partition.partition(), place.offset()));
                    return beginnings;
                });
    }

    /**
     * Deletes all records below an offset, by partition. Where the log begins later already, nothing happens.
     *
     * @return where each of these partitions begins now
     * @throws KafkaUnavailableException if the broker refuses, for an offset above the log's end for example, or does not
     *     answer in time; it is safe to ask again
     */
    public Map<Integer, Long> deleteBelow(Map<Integer, Long> offsets) {
        return ask("delete the oldest records of " + topic.topicName() + " below " + offsets, admin -> {
            Map<TopicPartition, RecordsToDelete> records = offsets.entrySet().stream()
                    .collect(Collectors.toMap(
                            below -> partition(below.getKey()),
                            below -> RecordsToDelete.beforeOffset(below.getValue())));
            Map<Integer, Long> beginnings = new HashMap<>();
            for (var deletion : admin.deleteRecords(records).lowWatermarks().entrySet()) {
                beginnings.put(
                        deletion.getKey().partition(),
                        answer(deletion.getValue()).lowWatermark());
            }
            return beginnings;
        });
    }

    private TopicPartition partition(int number) {
        return new TopicPartition(topic.topicName(), number);
    }

    private <T> T ask(String what, Question<T> question) {
        try (Admin admin = Admin.create(connection.adminSettings())) {
            return question.ask(admin);
        } catch (ExecutionException e) {
            throw unavailable(what, e.getCause().getMessage(), e);
        } catch (TimeoutException e) {
            throw unavailable(
                    what, "no answer from %s within %s".formatted(connection.bootstrapServers(), DEADLINE), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unavailable(what, "interrupted", e);
        }
    }

    private KafkaUnavailableException unavailable(String what, String why, Exception cause) {
        return new KafkaUnavailableException("cannot %s: %s".formatted(what, why), cause);
    }

    private static <T> T answer(KafkaFuture<T> future)
            throws ExecutionException, InterruptedException, TimeoutException {
        return future.get(DEADLINE.toSeconds(), TimeUnit.SECONDS);
    }

    /** Something to ask the broker. */
    private interface Question<T> {
        T ask(Admin admin) throws ExecutionException, InterruptedException, TimeoutException;
    }
}
