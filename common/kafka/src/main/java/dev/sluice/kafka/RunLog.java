package dev.sluice.kafka;

import dev.sluice.events.Event;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The log of one owner: events that belong together stand in it together or not at all, and opening it fences whoever
 * held it before (Kafka's transactional id). Not for several threads.
 */
public final class RunLog implements AutoCloseable {
    private static final Duration TRANSACTION_TIMEOUT = Duration.ofSeconds(10);

    private final String transactionalId;
    private final String source;
    private final KafkaProducer<byte[], byte[]> producer;

    private RunLog(String transactionalId, String source, KafkaProducer<byte[], byte[]> producer) {
        this.transactionalId = transactionalId;
        this.source = source;
        this.producer = producer;
    }

    /** Opens the log of a run for its trainer. */
    public static RunLog ofTrainer(KafkaConnection connection, String runId) {
        return open(connection, "sluice-trainer-" + runId);
    }

    /** Opens the log under a transactional id; from now on an older holder's writes fail. */
    public static RunLog open(KafkaConnection connection, String transactionalId) {
        var settings = connection.producerSettings();
        settings.put(ProducerConfig.TRANSACTIONAL_ID_CONFIG, transactionalId);
        settings.put(ProducerConfig.TRANSACTION_TIMEOUT_CONFIG, (int) TRANSACTION_TIMEOUT.toMillis());
        settings.put(ProducerConfig.CLIENT_ID_CONFIG, connection.source() + "-log-" + transactionalId);
        settings.put(ProducerConfig.LINGER_MS_CONFIG, 0);
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 2 << 20);
        KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
        try {
            producer.initTransactions();
        } catch (KafkaException e) {
            producer.close(Duration.ZERO);
            throw new KafkaUnavailableException("cannot open the log " + transactionalId + ": " + e.getMessage(), e);
        }
        return new RunLog(transactionalId, connection.source(), producer);
    }

    /**
     * Appends the events in one transaction. They will stand in the log together; readers see them a moment after this
     * returns, once the broker has marked the partitions. Opening a log waits for those marks of its former holder.
     *
     * @return the events with their ids and offsets, in order
     * @throws FencedException if another process has opened this log since
     * @throws KafkaUnavailableException if the transaction could not be committed; nothing of it is visible
     */
    public List<EventRecord<Event>> append(List<? extends Event> events, @Nullable UUID causation) {
        List<UUID> ids = events.stream().map(event -> EventCodec.newId()).toList();
        try {
            producer.beginTransaction();
            List<Future<RecordMetadata>> places = new ArrayList<>();
            for (int i = 0; i < events.size(); i++) {
                ProducerRecord<byte[], byte[]> record = EventCodec.encode(events.get(i), source, causation, ids.get(i));
                places.add(producer.send(record));
            }
            producer.commitTransaction();
            List<EventRecord<Event>> appended = new ArrayList<>();
            for (int i = 0; i < events.size(); i++) {
                RecordMetadata place = places.get(i).get();
                appended.add(new EventRecord<>(
                        events.get(i),
                        ids.get(i),
                        source,
                        Instant.ofEpochMilli(place.timestamp()),
                        causation,
                        place.topic(),
                        place.partition(),
                        place.offset()));
            }
            return appended;
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
            throw new FencedException(transactionalId, e);
        } catch (KafkaException | ExecutionException e) {
            throw abort(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw abort(e);
        }
    }

    public EventRecord<Event> append(Event event, @Nullable UUID causation) {
        return append(List.of(event), causation).getFirst();
    }

    private RuntimeException abort(Exception cause) {
        try {
            producer.abortTransaction();
        } catch (ProducerFencedException | InvalidProducerEpochException e) {
            return new FencedException(transactionalId, e);
        } catch (KafkaException e) {
            cause.addSuppressed(e);
        }
        return new KafkaUnavailableException(
                "the log " + transactionalId + " could not be written: " + cause.getMessage(), cause);
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
