package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunRequest.CancellationRequested;
import dev.sluice.events.Topics;
import dev.sluice.kafka.AddressedReader;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.WorkReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.RemoveMembersFromConsumerGroupOptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Work that takes long, shared through the real broker. */
@ExtendWith(KafkaBroker.class)
class WorkReaderIT {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final Duration POLL_INTERVAL = Duration.ofSeconds(2);

    private final List<String> taken = new CopyOnWriteArrayList<>();
    private final CountDownLatch mayEnd = new CountDownLatch(1);

    @Test
    void aHandlerThatTakesLongerThanThePollIntervalKeepsItsPartitionAndIsCommitted(KafkaBroker kafka) {
        // Given
        String run = kafka.newRunId("long");
        String after = kafka.newRunId("after");
        kafka.publish(new CancellationRequested(run, "test"));
        try (WorkReader one = requests(kafka, "one", run, this::waitForTheEnd)) {
            await().atMost(DEADLINE).until(() -> taken.contains("one " + run));
            try (WorkReader two = requests(kafka, "two", run, any -> {})) {
                kafka.publish(new CancellationRequested(after, "test"));

                // When
                await().during(POLL_INTERVAL.multipliedBy(3))
                        .atMost(DEADLINE)
                        .until(() -> of(run, after).equals(List.of("one " + run)));
                mayEnd.countDown();

                // Then
                await().atMost(DEADLINE).until(() -> of(run, after).equals(List.of("one " + run, "one " + after)));
                assertThat(Stream.of(one.failure(), two.failure())).containsOnlyNulls();
            }
        }
        assertThat(of(run)).containsExactly("one " + run);
        assertNextGetsNothingOf(run, kafka);
    }

    @Test
    void whoJoinsWhileARecordIsHandledGetsItsShareOfThePartitions(KafkaBroker kafka) {
        // Given
        String run = kafka.newRunId("share");
        kafka.publish(new RunQueued(run, "test"));
        try (WorkReader one = runs(kafka, "one", run, this::waitForTheEnd)) {
            await().atMost(DEADLINE).until(() -> taken.contains("one " + run));

            // When
            try (WorkReader two = runs(kafka, "two", run, any -> {})) {
                List<String> others = IntStream.range(0, Topics.RUN_EVENTS.partitions())
                        .mapToObj(partition -> runIn(partition, kafka))
                        .toList();
                others.forEach(other -> kafka.publish(new RunQueued(other, "test")));

                // Then
                await().atMost(DEADLINE).until(() -> others.stream().anyMatch(other -> taken.contains("two " + other)));
                assertThat(mayEnd.getCount()).isOne();
                mayEnd.countDown();
                await().atMost(DEADLINE)
                        .until(() -> others.stream()
                                .allMatch(other -> taken.contains("one " + other) || taken.contains("two " + other)));
                assertThat(Stream.of(one.failure(), two.failure())).containsOnlyNulls();
            }
        }
    }

    @Test
    void aRecordWhosePartitionIsTakenAwayMeanwhileIsHandledAgain(KafkaBroker kafka) throws Exception {
        // Given
        String run = kafka.newRunId("lost");
        List<Boolean> elected = new CopyOnWriteArrayList<>();
        kafka.publish(new CancellationRequested(run, "test"));
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()));
                WorkReader reader = WorkReader.startElected(
                        kafka.connection("one"),
                        "group-" + run,
                        Topics.RUN_REQUESTS,
                        record -> take("one", run, record.key(), this::waitForTheEnd),
                        elected::add)) {
            await().atMost(DEADLINE).until(() -> taken.contains("one " + run));

            // When
            admin.removeMembersFromConsumerGroup("group-" + run, new RemoveMembersFromConsumerGroupOptions())
                    .all()
                    .get();
            await().atMost(DEADLINE).until(() -> elected.contains(false));
            mayEnd.countDown();

            // Then
            await().atMost(DEADLINE).until(() -> of(run).equals(List.of("one " + run, "one " + run)));
            assertThat(elected).containsExactly(true, false, true);
            assertThat(reader.failure()).isNull();
        }
    }

    @Test
    void closingWaitsForTheRecordInHandAndCommitsIt(KafkaBroker kafka) {
        // Given
        String run = kafka.newRunId("close");
        kafka.publish(new CancellationRequested(run, "test"));
        WorkReader reader = requests(kafka, "one", run, this::waitForTheEnd);
        await().atMost(DEADLINE).until(() -> taken.contains("one " + run));

        // When
        CompletableFuture<Void> closed = CompletableFuture.runAsync(reader::close);
        await().during(Duration.ofSeconds(1)).atMost(DEADLINE).until(() -> !closed.isDone());
        mayEnd.countDown();

        // Then
        closed.join();
        assertThat(reader.failure()).isNull();
        assertNextGetsNothingOf(run, kafka);
    }

    private void assertNextGetsNothingOf(String run, KafkaBroker kafka) {
        String marker = kafka.newRunId("marker");
        kafka.publish(new CancellationRequested(marker, "test"));
        try (WorkReader next = requests(kafka, "next", run, any -> {})) {
            await().atMost(DEADLINE).until(() -> taken.contains("next " + marker));
        }
        assertThat(of(run)).containsExactly("one " + run);
    }

    private WorkReader requests(KafkaBroker kafka, String source, String run, Consumer<String> longWork) {
        return WorkReader.startRaw(
                connection(kafka, source),
                "group-" + run,
                Topics.RUN_REQUESTS,
                record -> take(source, run, record.key(), longWork));
    }

    private WorkReader runs(KafkaBroker kafka, String source, String run, Consumer<String> longWork) {
        return WorkReader.start(
                kafka.connection(source),
                "group-" + run,
                List.of(Topics.RUN_EVENTS),
                record -> take(source, run, record.event().runId(), longWork));
    }

    private static KafkaConnection connection(KafkaBroker kafka, String source) {
        return new KafkaConnection(
                kafka.bootstrapServers(),
                source,
                Map.of("max.poll.interval.ms", String.valueOf(POLL_INTERVAL.toMillis())));
    }

    private void take(String source, String run, String key, Consumer<String> longWork) {
        taken.add(source + " " + key);
        if (key.equals(run)) {
            longWork.accept(key);
        }
    }

    private void waitForTheEnd(String run) {
        try {
            mayEnd.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException("interrupted while handling " + run, e);
        }
    }

    private static String runIn(int partition, KafkaBroker kafka) {
        return Stream.generate(() -> kafka.newRunId("partition"))
                .filter(id -> AddressedReader.partitionOf(id, Topics.RUN_EVENTS) == partition)
                .findFirst()
                .orElseThrow();
    }

    private List<String> of(String... runs) {
        return taken.stream()
                .filter(one -> Stream.of(runs).anyMatch(run -> one.endsWith(" " + run)))
                .toList();
    }
}
