package dev.sluice.kafka;

import dev.sluice.events.Event;
import dev.sluice.events.Topics;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import org.apache.kafka.clients.consumer.CommitFailedException;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.consumer.ConsumerRebalanceListener;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.CooperativeStickyAssignor;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.InterruptException;
import org.apache.kafka.common.errors.RebalanceInProgressException;
import org.apache.kafka.common.errors.WakeupException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads topics as work shared by a consumer group. The handler returns when the resulting event is acknowledged; then the
 * offset is committed. A record may therefore come twice, never not at all.
 *
 * <p>Records are handled one at a time on a thread of their own, for as long as that takes: the reader's thread goes on
 * polling, without taking more, so that the group neither gives the record's partition to another nor waits for this
 * process when it shares out the partitions anew. A partition that moves meanwhile is not committed; whoever has it now
 * gets the record again.
 */
public final class WorkReader extends PollLoop {
    private static final Logger LOG = LoggerFactory.getLogger(WorkReader.class);
    /** How long a handler may take before the reader polls beside it. */
    private static final Duration SHORT_WORK = Duration.ofMillis(500);

    private final List<Topics> topics;
    private final EventHandler handler;
    private final @Nullable Consumer<RawRecord> rawHandler;
    private final Consumer<Boolean> elected;
    private final String handlerName;
    /** Touched only on the reader's thread; null when no record is handled, or its partition was taken away. */
    private @Nullable TopicPartition inHand;

    private boolean busy;

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
        this.handlerName = connection.source() + "-work-handler";
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
     * @param elected on the reader's thread: true before the first record, false when another process takes over, perhaps
     *     while a record is still handled
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
        return settings;
    }

    @Override
    void begin() {
        consumer.subscribe(topics.stream().map(Topics::topicName).toList(), new ConsumerRebalanceListener() {
            @Override
            public void onPartitionsAssigned(Collection<TopicPartition> partitions) {
                if (busy) {
                    consumer.pause(partitions);
                }
                tell(partitions, true);
            }

            @Override
            public void onPartitionsRevoked(Collection<TopicPartition> partitions) {
                if (inHand != null && partitions.contains(inHand)) {
                    inHand = null;
                }
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
        FutureTask<?> work = new FutureTask<>(() -> work(record), null);
        busy = true;
        inHand = new TopicPartition(record.topic(), record.partition());
        Thread.ofPlatform().name(handlerName).daemon().start(work);
        awaitWhilePolling(work);
        commit(record.offset() + 1);
        busy = false;
        inHand = null;
        consumer.resume(consumer.paused());
    }

    private void work(ConsumerRecord<byte[], byte[]> record) {
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
    }

    /** Throws what the handler threw. A reader that is closed meanwhile waits for it without polling. */
    private void awaitWhilePolling(FutureTask<?> work) {
        try {
            while (!endsSoon(work)) {
                pollWithoutTaking();
            }
        } catch (WakeupException e) {
            LOG.debug("closed while a record is handled");
        }
        try {
            work.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw (RuntimeException) e.getCause();
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private static boolean endsSoon(FutureTask<?> work) {
        try {
            work.get(SHORT_WORK.toMillis(), TimeUnit.MILLISECONDS);
            return true;
        } catch (TimeoutException e) {
            return false;
        } catch (ExecutionException e) {
            return true;
        } catch (InterruptedException e) {
            throw new InterruptException(e);
        }
    }

    private void pollWithoutTaking() {
        consumer.pause(consumer.assignment());
        if (!consumer.poll(SHORT_WORK).isEmpty()) {
            throw new IllegalStateException(
                    "paused partitions gave records, which would be lost: " + consumer.paused());
        }
    }

    private void commit(long next) {
        while (inHand != null) {
            try {
                consumer.commitSync(Map.of(inHand, new OffsetAndMetadata(next)));
                return;
            } catch (RebalanceInProgressException e) {
                // It ends within max.poll.interval.ms, and polling tells whose the partition is then.
                pollWithoutTaking();
            } catch (WakeupException e) {
                LOG.debug("closed when a record was handled, which is no reason to have it handled again");
            } catch (CommitFailedException e) {
                LOG.warn(
                        "the group gave a record's partition away, so another handles it again offset={}", next - 1, e);
                return;
            }
        }
        LOG.warn(
                "a record's partition was taken away while it was handled, so it is handled again offset={}", next - 1);
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
