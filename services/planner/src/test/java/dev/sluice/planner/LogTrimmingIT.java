package dev.sluice.planner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.LogTrim;
import dev.sluice.kafka.StateReader;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The packaged planner trims the log of results of a real broker; the trainer is the test. */
@ExtendWith(KafkaBroker.class)
class LogTrimmingIT {
    private static final Duration SOON = Duration.ofSeconds(20);

    @Test
    void whatLiesBelowTheOldestKeptCutIsDeletedAndAResumeFromItReadsAllItNeeds(
            KafkaBroker kafka, @TempDir Path directory) {
        // Given
        LogTrim log = new LogTrim(kafka.connection("test"), Topics.GROUP_EVENTS);
        String runId = runInAPartitionOfItsOwn(kafka, log);
        int partition = log.partitionOf(runId);
        List<EventRecord<GroupStarted>> results = IntStream.range(0, 30)
                .mapToObj(i -> kafka.publish(new GroupStarted(runId, 1, runId + "/" + i, 0, 0, "rollout-1")))
                .toList();
        long oldest = results.get(12).offset();
        long middle = results.get(15).offset();
        long newest = results.get(25).offset();
        kafka.publish(cut(runId, 1, oldest));
        kafka.publish(cut(runId, 2, middle));
        kafka.publish(cut(runId, 3, newest));

        try (PlannerProcess planner = startedPlanner(kafka, directory)) {
            await().atMost(SOON).until(() -> log.beginnings().get(partition) == oldest);

            // When
            kafka.publish(retired(runId, 1)); // frees 3 records, fewer than is worth while
            kafka.publish(retired(runId, 2));

            // Then
            await().atMost(SOON).until(() -> log.beginnings().get(partition), begins -> {
                assertThat(begins).isIn(oldest, newest);
                return begins == newest;
            });
            assertThat(read(kafka, runId, newest))
                    .isEqualTo(results.subList(25, 30).stream()
                            .map(EventRecord::event)
                            .toList());
            assertThat(read(kafka, runId, 0)).hasSize(5);
            await().atMost(SOON)
                    .untilAsserted(() -> assertThat(planner.get("/q/metrics").body())
                            .containsPattern("sluice_planner_log_trimmed_offset\\{[^}]*partition=\"%d\"[^}]*} %d\\.0"
                                    .formatted(partition, newest)));
        }
    }

    private static PlannerProcess startedPlanner(KafkaBroker kafka, Path directory) {
        return PlannerProcess.start(
                kafka.bootstrapServers(),
                directory,
                Map.of("sluice.planner.log-trim-records", "10", "sluice.planner.log-trim-interval", "200ms"));
    }

    /** Runs of other tests have no cuts, so their partitions are kept whole. */
    private static String runInAPartitionOfItsOwn(KafkaBroker kafka, LogTrim log) {
        try (EventLog others = kafka.follow(Topics.RUN_EVENTS, Topics.TRAINING)) {
            Set<Integer> taken = others.records().stream()
                    .map(EventRecord::event)
                    .filter(event -> event instanceof RunAssigned || event instanceof TrainingEvent)
                    .map(event -> log.partitionOf(event.runId()))
                    .collect(Collectors.toSet());
            return Stream.generate(() -> kafka.newRunId("trim"))
                    .limit(1000)
                    .filter(runId -> !taken.contains(log.partitionOf(runId)))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("other tests have runs in every partition: " + taken));
        }
    }

    private static CheckpointSaved cut(String runId, int step, long groupsOffset) {
        return new CheckpointSaved(
                runId, 1, step, 1, step, "/cut-" + step, "", false, 0, 0, List.of(), groupsOffset, 0, "");
    }

    private static CheckpointRetired retired(String runId, int step) {
        return new CheckpointRetired(runId, 1, step, "/cut-" + step);
    }

    private static List<Event> read(KafkaBroker kafka, String runId, long offset) {
        List<Event> seen = new CopyOnWriteArrayList<>();
        try (StateReader reader = StateReader.startRun(
                kafka.connection("reader"),
                runId,
                Map.of(Topics.GROUP_EVENTS, offset),
                record -> seen.add(record.event()))) {
            reader.awaitCaughtUp(SOON);
        }
        return seen.stream().filter(event -> event.runId().equals(runId)).toList();
    }
}
