package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.retention.GroupLogRetention;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Random stories of a run, with crashes, repeated deliveries, trimmed logs, cuts that are written beside training or do not verify, over the real rules. */
class TrainingStatePropertyTest {
    private static final int STORIES = 1000;
    private static final int MOVES = 120;

    private final long firstSeed = Long.getLong("sluice.seed", System.nanoTime());

    @Test
    void noStoryBreaksAPromiseAndEveryStoryEnds() {
        System.out.printf("seeds from %d (-Dsluice.seed=...)%n", firstSeed);
        int steps = 0;

        for (long seed = firstSeed; seed < firstSeed + STORIES; seed++) {
            TrainingWorld world = play(seed, TrainingState::decideCut, TrainingStatePropertyTest::oldestOffset);
            steps += world.formedBatches();
        }

        assertThat(steps).isGreaterThan(2 * STORIES);
    }

    /** What the planner's {@link GroupLogRetention} allows to be deleted of a run that goes on. */
    private static long oldestOffset(List<CheckpointSaved> kept) {
        GroupLogRetention retention = new GroupLogRetention(Duration.ofDays(7), runId -> 0);
        kept.forEach(retention::apply);
        return retention.deletableBelow(Instant.EPOCH).getOrDefault(0, 0L);
    }

    @Test
    void aLogThatIsTrimmedToTheNewestCutOnlyIsNoticed() {
        boolean noticed = LongStream.range(0, STORIES)
                .anyMatch(seed -> isNoticed(
                        seed,
                        TrainingState::decideCut,
                        kept -> kept.stream()
                                .mapToLong(CheckpointSaved::groupsOffset)
                                .max()
                                .orElse(0)));

        assertThat(noticed).isTrue();
    }

    /** A rule that is broken on purpose must be noticed, else the stories prove nothing. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenRules")
    void aBrokenRuleIsNoticed(String rule, Function<TrainingState, Cut> broken) {
        boolean noticed = LongStream.range(0, STORIES)
                .anyMatch(seed -> isNoticed(seed, broken, TrainingStatePropertyTest::oldestOffset));

        assertThat(noticed).as(rule).isTrue();
    }

    static List<Arguments> brokenRules() {
        return List.of(
                broken(
                        "results are replayed from the read position",
                        (state, cut) -> new Cut(
                                cut.step(),
                                cut.weightVersion(),
                                cut.cursorNext(),
                                cut.closedBelow(),
                                cut.closedAbove(),
                                state.groupsReadTo(),
                                cut.trainingOffset())),
                broken(
                        "a cut forgets which prompts are used up",
                        (state, cut) -> new Cut(
                                cut.step(),
                                cut.weightVersion(),
                                cut.cursorNext(),
                                cut.closedBelow(),
                                List.of(),
                                cut.groupsOffset(),
                                cut.trainingOffset())),
                broken(
                        "a cut forgets the rounds of open groups",
                        (state, cut) -> new Cut(
                                cut.step(),
                                cut.weightVersion(),
                                cut.cursorNext(),
                                cut.closedBelow(),
                                cut.closedAbove(),
                                cut.groupsOffset(),
                                Integer.MAX_VALUE)));
    }

    private static Arguments broken(String rule, BiFunction<TrainingState, Cut, Cut> change) {
        Function<TrainingState, Cut> cutting = state -> change.apply(state, state.decideCut());
        return Arguments.of(rule, cutting);
    }

    private static boolean isNoticed(
            long seed, Function<TrainingState, Cut> cutting, ToLongFunction<List<CheckpointSaved>> trimming) {
        try {
            play(seed, cutting, trimming);
            return false;
        } catch (AssertionError | IllegalStateException e) {
            return true;
        }
    }

    private static TrainingWorld play(
            long seed, Function<TrainingState, Cut> cutting, ToLongFunction<List<CheckpointSaved>> trimming) {
        TrainingWorld world = new TrainingWorld(seed, cutting, trimming);
        try {
            world.disturb(MOVES);
            world.finish();
            return world;
        } catch (IllegalStateException e) {
            throw new IllegalStateException("seed " + seed, e);
        } catch (AssertionError e) {
            throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
        }
    }
}
