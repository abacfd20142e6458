package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.Topics;
import dev.sluice.kafka.EventRecord;
import dev.sluice.kafka.KafkaUnavailableException;
import dev.sluice.kafka.LogTrim;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Deleting the oldest records of the real broker's log. */
@ExtendWith(KafkaBroker.class)
class LogTrimIT {
    private static final Duration DEADLINE = Duration.ofSeconds(20);

    @Test
    void whatLiesBelowIsGoneAndAReaderFromThereGetsTheRest(KafkaBroker kafka) {
        // Given
        String run = kafka.newRunId("trimmed");
        LogTrim trim = new LogTrim(kafka.connection("test"), Topics.GROUP_EVENTS);
        List<EventRecord<GroupStarted>> written = written(kafka, run, 10);
        long fourth = written.get(4).offset();

        // When
        Map<Integer, Long> begins = trim.deleteBelow(Map.of(trim.partitionOf(run), fourth));

        // Then
        assertThat(begins).isEqualTo(Map.of(trim.partitionOf(run), fourth));
        assertThat(trim.beginnings())
                .hasSize(Topics.GROUP_EVENTS.partitions())
                .containsEntry(trim.partitionOf(run), fourth);
        List<Event> rest = events(written.subList(4, 10));
        assertThat(read(kafka, run, fourth)).isEqualTo(rest);
        assertThat(read(kafka, run, 0)).isEqualTo(rest);
    }

    @Test
    void aLogsBeginningOnlyMovesForward(KafkaBroker kafka) {
        String run = kafka.newRunId("forward");
        LogTrim trim = new LogTrim(kafka.connection("test"), Topics.GROUP_EVENTS);
        int partition = trim.partitionOf(run);
        long last = written(kafka, run, 6).getLast().offset();

        trim.deleteBelow(Map.of(partition, last));

        assertThat(trim.deleteBelow(Map.of(partition, last))).containsEntry(partition, last);
        assertThat(trim.deleteBelow(Map.of(partition, last - 3))).containsEntry(partition, last);
    }

    @Test
    void anOffsetAboveTheEndIsRefusedAndNothingIsDeleted(KafkaBroker kafka) {
        String run = kafka.newRunId("above");
        LogTrim trim = new LogTrim(kafka.connection("test"), Topics.GROUP_EVENTS);
        List<EventRecord<GroupStarted>> written = written(kafka, run, 3);

        assertThatThrownBy(() -> trim.deleteBelow(
                        Map.of(trim.partitionOf(run), written.getLast().offset() + 1000)))
                .isInstanceOf(KafkaUnavailableException.class)
                .hasMessageContaining(Topics.GROUP_EVENTS.topicName());
        assertThat(read(kafka, run, written.getFirst().offset())).isEqualTo(events(written));
    }

    private static List<EventRecord<GroupStarted>> written(KafkaBroker kafka, String run, int count) {
        return IntStream.range(0, count)
                .mapToObj(i -> kafka.publish(new GroupStarted(run, 1, run + "/" + i, 0, 0, "rollout-1")))
                .toList();
    }

    private static List<Event> events(List<EventRecord<GroupStarted>> records) {
        return records.stream().map(record -> (Event) record.event()).toList();
    }

    private static List<Event> read(KafkaBroker kafka, String run, long offset) {
        List<Event> seen = new CopyOnWriteArrayList<>();
        try (StateReader reader = StateReader.startRun(
                kafka.connection("reader"),
                run,
                Map.of(Topics.GROUP_EVENTS, offset),
                record -> seen.add(record.event()))) {
            reader.awaitCaughtUp(DEADLINE);
        }
        return seen.stream().filter(event -> event.runId().equals(run)).toList();
    }
}
