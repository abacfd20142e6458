package dev.sluice.domain.retention;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.TrainerReady;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Runs "a..." lie in partition 0, all others in partition 1. */
class GroupLogRetentionTest {
    private static final Instant NOON = Instant.parse("2026-11-24T12:00:00Z");
    private static final Duration WEEK = Duration.ofDays(7);

    private final GroupLogRetention retention = new GroupLogRetention(WEEK, runId -> runId.startsWith("a") ? 0 : 1);

    @Test
    void theOldestKeptCutOfARunIsTheLimit() {
        cut("a", 20, 900);
        cut("a", 10, 400);

        assertThat(retention.deletableBelow(NOON)).containsExactlyEntriesOf(Map.of(0, 400L));
    }

    @Test
    void aRetiredCutIsNoLimit() {
        cut("a", 10, 400);
        cut("a", 20, 900);

        retention.apply(new CheckpointRetired("a", 1, 10, "/cut-10"));

        assertThat(retention.deletableBelow(NOON)).containsExactlyEntriesOf(Map.of(0, 900L));
    }

    @Test
    void theRunThatIsFurthestBehindLimitsItsPartitionOnly() {
        cut("a1", 10, 400);
        cut("a2", 10, 300);
        cut("b", 10, 700);

        assertThat(retention.deletableBelow(NOON)).containsExactlyInAnyOrderEntriesOf(Map.of(0, 300L, 1, 700L));
    }

    @Test
    void aRunThatHasBegunWithoutACutKeepsItsPartitionWhole() {
        cut("a1", 10, 400);
        cut("b1", 10, 400);

        retention.apply(new RunAssigned("a2", 1, new TrainerShare("trainer-1", "x", 1), List.of(), "planned"), NOON);
        retention.apply(new TrainerReady("b2", 1, "trainer-2", 0, "started"));

        assertThat(retention.deletableBelow(NOON)).isEmpty();
    }

    @Test
    void aRunThatOnlyWaitsForInstancesHasNoResults() {
        cut("a1", 10, 400);

        retention.apply(new RunQueued("a2", "no trainer"), NOON);

        assertThat(retention.deletableBelow(NOON)).containsExactlyEntriesOf(Map.of(0, 400L));
    }

    @Test
    void aFinishedRunIsKeptForAWhile() {
        cut("a1", 10, 400);
        cut("a2", 10, 900);

        retention.apply(new RunCancelled("a1", "enough"), NOON);

        assertThat(retention.deletableBelow(NOON.plus(WEEK).minusMillis(1))).isEqualTo(Map.of(0, 400L));
        assertThat(retention.deletableBelow(NOON.plus(WEEK))).isEqualTo(Map.of(0, 900L));
    }

    @Test
    void nothingIsDeletedAboveWhatACutHasNamed() {
        cut("a", 10, 400);
        retention.apply(new CheckpointRetired("a", 1, 10, "/cut-10"));
        retention.apply(new RunCancelled("a", "enough"), NOON);

        assertThat(retention.deletableBelow(NOON.plus(WEEK))).isEqualTo(Map.of(0, 400L));
    }

    @Test
    void finishedRunsCannotBeKeptForANegativeTime() {
        assertThatThrownBy(() -> new GroupLogRetention(Duration.ofDays(-1), runId -> 0))
                .hasMessageContaining("PT-24H");
    }

    /** A view that has read a cut has then also read that other runs of the partition had begun before it. */
    @Test
    void resultsAndTrainingEventsOfARunLieInPartitionsOfTheSameNumber() {
        assertThat(Topics.TRAINING.partitions()).isEqualTo(Topics.GROUP_EVENTS.partitions());
        assertThat(Topics.TRAINING.key()).isEqualTo(Topics.GROUP_EVENTS.key());
    }

    private void cut(String runId, int step, long groupsOffset) {
        retention.apply(new CheckpointSaved(
                runId, 1, step, 1, step, "/cut-" + step, "", false, 0, 0, List.of(), groupsOffset, 0, ""));
    }
}
