package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.Event;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunRequest.CancellationRequested;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.WeightEvent.WeightsRetired;
import dev.sluice.kafka.AddressedReader;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.FencedException;
import dev.sluice.kafka.RawRecord;
import dev.sluice.kafka.RunLog;
import dev.sluice.kafka.StateReader;
import dev.sluice.kafka.TopicCreation;
import dev.sluice.kafka.WorkReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The readers and writers of common/kafka against the real broker. */
@ExtendWith(KafkaBroker.class)
class EventTopicsIT {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @Test
    void eventsOfOneAppendStandInTheLogTogether(KafkaBroker kafka) {
        String run = kafka.newRunId("append");
        List<EventRecord<Event>> seen = new CopyOnWriteArrayList<>();

        try (RunLog log = RunLog.ofTrainer(kafka.connection("trainer"), run)) {
            var appended = log.append(List.of(ready(run, 1), new WeightsRetired(run, 1, 3)), null);

            try (StateReader reader = StateReader.startRun(
                    kafka.connection("reader"), run, Map.of(Topics.TRAINING, 0L, Topics.WEIGHTS, 0L), seen::add)) {
                await().atMost(DEADLINE)
                        .untilAsserted(() -> assertThat(ofRun(seen, run))
                                .containsExactlyInAnyOrderElementsOf(appended.stream()
                                        .map(EventRecord::event)
                                        .toList()));
                assertThat(seen.stream().map(EventRecord::id))
                        .containsAll(appended.stream().map(EventRecord::id).toList());
            }
        }
    }

    @Test
    void openingALogFencesItsFormerHolder(KafkaBroker kafka) {
        String run = kafka.newRunId("fence");
        try (RunLog former = RunLog.ofTrainer(kafka.connection("trainer-1"), run)) {
            former.append(ready(run, 1), null);

            try (RunLog current = RunLog.ofTrainer(kafka.connection("trainer-2"), run)) {
                assertThatThrownBy(() -> former.append(ready(run, 1), null)).isInstanceOf(FencedException.class);
                current.append(ready(run, 2), null);
            }
        }
        try (EventLog log = kafka.follow(Topics.TRAINING)) {
            await().atMost(DEADLINE)
                    .untilAsserted(() -> assertThat(log.events(run, TrainerReady.class))
                            .extracting(TrainerReady::epoch)
                            .containsExactly(1, 2));
        }
    }

    @Test
    void aRunsLogCanBeReadFromAnOffset(KafkaBroker kafka) {
        String run = kafka.newRunId("offset");
        List<EventRecord<Event>> seen = new CopyOnWriteArrayList<>();
        try (RunLog log = RunLog.ofTrainer(kafka.connection("trainer"), run)) {
            log.append(ready(run, 1), null);
            long second =
                    log.append(new CheckpointRetired(run, 1, 5, "cut"), null).offset();

            try (StateReader reader =
                    StateReader.startRun(kafka.connection("reader"), run, Map.of(Topics.TRAINING, second), seen::add)) {
                await().atMost(DEADLINE)
                        .untilAsserted(() ->
                                assertThat(ofRun(seen, run)).containsExactly(new CheckpointRetired(run, 1, 5, "cut")));
            }
        }
    }

    @Test
    void anInstanceGetsWhatIsAddressedToItAndSentAfterItListens(KafkaBroker kafka) throws Exception {
        String run = kafka.newRunId("addressed");
        List<EventRecord<Event>> seen = new CopyOnWriteArrayList<>();
        kafka.publish(withdrawn(run, "rollout-1", "before"));

        try (AddressedReader reader =
                AddressedReader.start(kafka.connection("rollout-1"), Topics.GROUP_TASKS, "rollout-1", seen::add)) {
            reader.listening().get(20, java.util.concurrent.TimeUnit.SECONDS);
            kafka.publish(withdrawn(run, "rollout-2", "for another"));
            kafka.publish(withdrawn(run, "rollout-1", "after"));

            await().atMost(DEADLINE).until(() -> !seen.isEmpty());
            assertThat(ofRun(seen, run)).containsExactly(withdrawn(run, "rollout-1", "after"));
        }
    }

    @Test
    void keysLieInThePartitionThatReadersExpect(KafkaBroker kafka) {
        for (String instance : List.of("rollout-1", "rollout-2", "a", "an-instance-with-a-long-name")) {
            var record = kafka.publish(withdrawn(kafka.newRunId("partition"), instance, "test"));

            assertThat(record.partition()).isEqualTo(AddressedReader.partitionOf(instance, Topics.GROUP_TASKS));
        }
    }

    @Test
    void workIsTakenAgainWhereItsTakerDied(KafkaBroker kafka) {
        String run = kafka.newRunId("work");
        String group = "group-" + run;
        List<RawRecord> seen = new CopyOnWriteArrayList<>();
        kafka.publish(new CancellationRequested(run, "test"));
        var dying = WorkReader.startRaw(kafka.connection("one"), group, Topics.RUN_REQUESTS, record -> {
            if (run.equals(record.key())) {
                throw new IllegalStateException("dies with the work in hand");
            }
        });
        await().atMost(DEADLINE).until(() -> dying.failure() != null);

        try (WorkReader next = WorkReader.startRaw(kafka.connection("two"), group, Topics.RUN_REQUESTS, seen::add)) {
            await().atMost(DEADLINE).until(() -> seen.stream().anyMatch(record -> run.equals(record.key())));
            assertThat(next.failure()).isNull();
        }
    }

    @Test
    void whatIsNoEventIsSkippedAndCounted(KafkaBroker kafka) {
        String run = kafka.newRunId("dead");
        List<EventRecord<Event>> seen = new CopyOnWriteArrayList<>();
        kafka.publishRaw(Topics.RUN_EVENTS, run, Map.of("ce_type", "dev.sluice.RunQueued.v1"), "{".getBytes());
        kafka.publishRaw(Topics.RUN_EVENTS, run, Map.of(), "{}".getBytes());
        kafka.publish(new RunQueued(run, "after"));

        try (StateReader reader =
                StateReader.start(kafka.connection("reader"), List.of(Topics.RUN_EVENTS), seen::add)) {
            reader.awaitCaughtUp(DEADLINE);
            assertThat(ofRun(seen, run)).containsExactly(new RunQueued(run, "after"));
            assertThat(reader.skipped()).isGreaterThanOrEqualTo(2);
        }
    }

    @Test
    void creatingTopicsTwiceChangesNothing(KafkaBroker kafka) {
        assertThat(TopicCreation.create(kafka.connection("test"), (short) 1)).isEmpty();
    }

    private static TrainerReady ready(String run, int epoch) {
        return new TrainerReady(run, epoch, "trainer", 0, "started");
    }

    private static GroupWithdrawn withdrawn(String run, String instance, String reason) {
        return new GroupWithdrawn(run, 1, run + "/0", 0, instance, reason);
    }

    private static List<Event> ofRun(List<EventRecord<Event>> records, String run) {
        return records.stream()
                .map(EventRecord::event)
                .filter(event -> event.runId().equals(run))
                .toList();
    }
}
