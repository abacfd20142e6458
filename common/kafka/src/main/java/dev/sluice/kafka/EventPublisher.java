package dev.sluice.kafka;

import dev.sluice.events.Event;
import dev.sluice.events.RunRequest;
import java.time.Duration;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Publishes events one by one (tasks, results, snapshots): idempotent and acknowledged by all replicas, no transaction. */
public final class EventPublisher implements AutoCloseable {
    private final KafkaConnection connection;
    private final KafkaProducer<byte[], byte[]> producer;

    private EventPublisher(KafkaConnection connection, KafkaProducer<byte[], byte[]> producer) {
        this.connection = connection;
        this.producer = producer;
    }

    /** For requests, tasks and state: sent at once. */
    public static EventPublisher prompt(KafkaConnection connection) {
        return open(connection, 0);
    }

    /** For many large results: waits 5 ms for company, compresses with lz4. */
    public static EventPublisher batching(KafkaConnection connection) {
        return open(connection, 5);
    }

    private static EventPublisher open(KafkaConnection connection, int lingerMillis) {
        var settings = connection.producerSettings();
        settings.put(ProducerConfig.LINGER_MS_CONFIG, lingerMillis);
        if (lingerMillis > 0) {
            settings.put(ProducerConfig.BATCH_SIZE_CONFIG, 512 * 1024);
            settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, "lz4");
        }
        settings.put(ProducerConfig.MAX_REQUEST_SIZE_CONFIG, 2 << 20);
        return new EventPublisher(
                connection, new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer()));
    }

    /** Sends the event; the future ends when all replicas have it, with its place in the log. */
    public <E extends Event> CompletableFuture<EventRecord<E>> publish(E event, @Nullable UUID causation) {
        UUID id = EventCodec.newId();
        CompletableFuture<EventRecord<E>> acknowledged = new CompletableFuture<>();
        producer.send(EventCodec.encode(event, connection.source(), causation, id), (place, failure) -> {
            if (failure != null) {
                acknowledged.completeExceptionally(failure);
            } else {
                acknowledged.complete(new EventRecord<>(
                        event,
                        id,
                        connection.source(),
                        java.time.Instant.ofEpochMilli(place.timestamp()),
                        causation,
                        place.topic(),
                        place.partition(),
                        place.offset()));
            }
        });
        return acknowledged;
    }

    public <E extends Event> CompletableFuture<EventRecord<E>> publish(E event) {
        return publish(event, null);
    }

    /**
     * Sends the event and waits for its acknowledgement.
     *
     * @throws KafkaUnavailableException if the broker did not acknowledge it in time
     */
    public <E extends Event> EventRecord<E> publishAndWait(E event, @Nullable UUID causation) {
        return await(publish(event, causation), event.getClass());
    }

    /**
     * Sends a request as its client wrote it, for a reader that checks it and fills in what is absent; waits for the
     * acknowledgement.
     *
     * @param json the event's JSON object
     * @throws KafkaUnavailableException if the broker did not acknowledge it in time
     */
    public void publishRequestAndWait(Class<? extends RunRequest> type, String runId, byte[] json) {
        CompletableFuture<Void> acknowledged = new CompletableFuture<>();
        producer.send(
                EventCodec.encodeRequest(type, runId, json, connection.source(), EventCodec.newId()),
                (place, failure) -> {
                    if (failure != null) {
                        acknowledged.completeExceptionally(failure);
                    } else {
                        acknowledged.complete(null);
                    }
                });
        await(acknowledged, type);
    }

    private <T> T await(CompletableFuture<T> acknowledged, Class<? extends Event> type) {
        Duration deadline = KafkaConnection.DELIVERY_TIMEOUT.plusSeconds(5);
        try {
            return acknowledged.get(deadline.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new KafkaUnavailableException("interrupted while publishing " + Event.typeOf(type), e);
        } catch (ExecutionException e) {
            throw new KafkaUnavailableException(
                    "%s was not acknowledged: %s".formatted(Event.typeOf(type), e.getCause()), e);
        } catch (TimeoutException e) {
            throw new KafkaUnavailableException(
                    "%s was not acknowledged within %s; is the broker at %s up?"
                            .formatted(Event.typeOf(type), deadline, connection.bootstrapServers()),
                    e);
        }
    }

    @Override
    public void close() {
        producer.close(Duration.ofSeconds(5));
    }
}
