package dev.sluice.kafka;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.errors.WakeupException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One consumer on one thread: polls, decodes, skips and counts what is broken, and hands on the rest. */
abstract class PollLoop implements EventReader {
    private static final Logger LOG = LoggerFactory.getLogger(PollLoop.class);
    private static final Duration POLL = Duration.ofMillis(500);

    final KafkaConsumer<byte[], byte[]> consumer;
    private final KafkaConnection connection;
    private final Thread thread;
    private final AtomicLong skipped = new AtomicLong();
    private final AtomicReference<@Nullable Runnable> onFailure = new AtomicReference<>();
    private volatile boolean closing;
    private volatile @Nullable Throwable failure;

    PollLoop(KafkaConnection connection, java.util.Map<String, Object> settings, String name) {
        this.connection = connection;
        this.consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        this.thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
    }

    final void start() {
        thread.start();
    }

    /** Called once on the loop's thread before the first poll. */
    abstract void begin();

    abstract void deliver(ConsumerRecord<byte[], byte[]> raw, EventRecord<dev.sluice.events.Event> record);

    /** Called after each poll, when everything it returned is delivered. */
    void polled() {}

    private void run() {
        try (consumer) {
            begin();
            while (!closing) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    take(record);
                }
                polled();
            }
        } catch (WakeupException e) {
            LOG.debug("reader closed");
        } catch (Throwable e) {
            failure = e;
            LOG.error("a reader stopped thread={}", thread.getName(), e);
            failed(e);
            Optional.ofNullable(onFailure.get()).ifPresent(Runnable::run);
        }
    }

    void failed(Throwable cause) {}

    void take(ConsumerRecord<byte[], byte[]> record) {
        switch (EventCodec.decode(record)) {
            case EventCodec.Decoded.Known known -> deliver(record, known.record());
            case EventCodec.Decoded.Unknown unknown -> {
                skipped.incrementAndGet();
                LOG.warn(
                        "skipped an unknown type type={} topic={} offset={}",
                        unknown.type(),
                        record.topic(),
                        record.offset());
            }
            case EventCodec.Decoded.Broken broken -> {
                skipped.incrementAndGet();
                LOG.warn(
                        "skipped a broken record topic={} offset={} error={}",
                        record.topic(),
                        record.offset(),
                        broken.reason());
                if (sendsDeadLetters()) {
                    DeadLetters.send(connection, record, broken.reason());
                }
            }
        }
    }

    /** Only a reader that sees a record once sends it to the dead letters; state is read again at each start. */
    abstract boolean sendsDeadLetters();

    @Override
    public long skipped() {
        return skipped.get();
    }

    @Override
    public @Nullable Throwable failure() {
        return failure;
    }

    @Override
    public void onFailure(Runnable action) {
        onFailure.set(action);
        if (failure != null) {
            action.run();
        }
    }

    @Override
    public void close() {
        closing = true;
        if (!thread.isAlive()) {
            return;
        }
        consumer.wakeup();
        try {
            thread.join(Duration.ofSeconds(5));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
