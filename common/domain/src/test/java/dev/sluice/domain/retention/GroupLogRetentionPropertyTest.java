package dev.sluice.domain.retention;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.retention.RetentionWorld.RunRecord;
import dev.sluice.domain.retention.RetentionWorld.View;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Random stories of runs that share a partition, and of planners that trim it with views that are behind. */
class GroupLogRetentionPropertyTest {
    private static final int STORIES = 2000;
    private static final int MOVES = 150;

    private final long firstSeed = Long.getLong("sluice.seed", System.nanoTime());

    @Test
    void aResumeFromAnyKeptCutNeverNeedsWhatWasTrimmed() {
        System.out.printf("seeds from %d (-Dsluice.seed=...)%n", firstSeed);
        long trimmed = 0;

        for (long seed = firstSeed; seed < firstSeed + STORIES; seed++) {
            trimmed += play(seed, RetentionWorld::faithful);
        }

        assertThat(trimmed).as("records trimmed in all stories").isGreaterThan(2 * STORIES);
    }

    /** A rule that is broken on purpose must be noticed, else the stories prove nothing. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenRules")
    void aBrokenRuleIsNoticed(String rule, View broken) {
        boolean noticed = LongStream.range(0, STORIES).anyMatch(seed -> isNoticed(seed, broken));

        assertThat(noticed).as(rule).isTrue();
    }

    static List<Arguments> brokenRules() {
        return List.of(
                broken("only the newest cut counts", (runs, training) -> {
                    return RetentionWorld.faithful(runs, onlyNewestCuts(training));
                }),
                broken("a run without a cut needs nothing", (runs, training) -> {
                    return RetentionWorld.faithful(withoutAssignments(runs), onlyCuts(training));
                }),
                broken(
                        "a run begins with its assignment alone, which a view may not have read yet",
                        (runs, training) -> {
                            return RetentionWorld.faithful(runs, onlyCuts(training));
                        }),
                broken("a finished run needs nothing", (runs, training) -> {
                    GroupLogRetention retention = new GroupLogRetention(Duration.ZERO, runId -> 0);
                    runs.forEach(record -> retention.apply(record.event(), record.at()));
                    training.forEach(retention::apply);
                    return retention;
                }));
    }

    private static List<TrainingEvent> onlyNewestCuts(List<TrainingEvent> training) {
        List<TrainingEvent> changed = new ArrayList<>();
        for (TrainingEvent event : training) {
            if (event instanceof CheckpointSaved) {
                changed.stream()
                        .filter(CheckpointSaved.class::isInstance)
                        .map(CheckpointSaved.class::cast)
                        .filter(older -> older.runId().equals(event.runId()))
                        .toList()
                        .forEach(older -> changed.add(
                                new CheckpointRetired(older.runId(), older.epoch(), older.step(), older.directory())));
            }
            changed.add(event);
        }
        return changed;
    }

    private static List<TrainingEvent> onlyCuts(List<TrainingEvent> training) {
        return training.stream()
                .filter(event -> event instanceof CheckpointSaved || event instanceof CheckpointRetired)
                .toList();
    }

    private static List<RunRecord> withoutAssignments(List<RunRecord> runs) {
        return runs.stream()
                .filter(record -> !(record.event() instanceof RunAssigned))
                .toList();
    }

    private static Arguments broken(String rule, View view) {
        return Arguments.of(rule, view);
    }

    private static boolean isNoticed(long seed, View broken) {
        try {
            play(seed, broken);
            return false;
        } catch (AssertionError e) {
            return true;
        }
    }

    private static long play(long seed, View view) {
        RetentionWorld world = new RetentionWorld(seed, view);
        try {
            world.play(MOVES);
            return world.trimmed();
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
        }
    }
}
