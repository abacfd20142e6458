package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.retention.GroupLogRetention;
import dev.sluice.domain.training.TrainingWorld.Choices;
import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.DropReason;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Random stories of a run, with crashes, repeated deliveries, trimmed logs, cuts that are written beside training or do not verify, and
 * guards that take steps back, over the real rules.
 */
class TrainingStatePropertyTest {
    private static final int STORIES = 1000;
    private static final int MOVES = 120;
    private static final Choices RIGHT =
            new Choices(TrainingState::decideCut, TrainingStatePropertyTest::oldestOffset, Rollbacks::applied);

    private final long firstSeed = Long.getLong("sluice.seed", System.nanoTime());

    @Test
    void noStoryBreaksAPromiseAndEveryStoryEnds() {
        System.out.printf("seeds from %d (-Dsluice.seed=...)%n", firstSeed);
        int steps = 0;
        int rollbacks = 0;

        for (long seed = firstSeed; seed < firstSeed + STORIES; seed++) {
            TrainingWorld world = play(seed, RIGHT);
            steps += world.formedBatches();
            rollbacks += world.rollbacks();
        }

        assertThat(steps).isGreaterThan(2 * STORIES);
        assertThat(rollbacks).isGreaterThan(STORIES / 10);
    }

    /** What the planner's {@link GroupLogRetention} allows to be deleted of a run that goes on. */
    private static long oldestOffset(List<CheckpointSaved> kept) {
        GroupLogRetention retention = new GroupLogRetention(Duration.ofDays(7), runId -> 0);
        kept.forEach(retention::apply);
        return retention.deletableBelow(Instant.EPOCH).getOrDefault(0, 0L);
    }

    /** A rule that is broken on purpose must be noticed, else the stories prove nothing. */
    @ParameterizedTest(name = "{0}")
    @MethodSource("brokenRules")
    void aBrokenRuleIsNoticed(String rule, Choices broken) {
        boolean noticed = LongStream.range(0, STORIES).anyMatch(seed -> isNoticed(seed, broken));

        assertThat(noticed).as(rule).isTrue();
    }

    static List<Arguments> brokenRules() {
        return List.of(
                cutting(
                        "results are replayed from the read position",
                        (state, cut) -> new Cut(
                                cut.step(),
                                cut.weightVersion(),
                                cut.cursorNext(),
                                cut.closedBelow(),
                                cut.closedAbove(),
                                state.groupsReadTo(),
                                cut.trainingOffset())),
                cutting(
                        "a cut forgets which prompts are used up",
                        (state, cut) -> new Cut(
                                cut.step(),
                                cut.weightVersion(),
                                cut.cursorNext(),
                                cut.closedBelow(),
                                List.of(),
                                cut.groupsOffset(),
                                cut.trainingOffset())),
                cutting(
                        "a cut forgets the rounds of open groups",
                        (state, cut) -> new Cut(
                                cut.step(),
                                cut.weightVersion(),
                                cut.cursorNext(),
                                cut.closedBelow(),
                                cut.closedAbove(),
                                cut.groupsOffset(),
                                Integer.MAX_VALUE)),
                Arguments.of(
                        "a log is trimmed to the newest cut",
                        new Choices(
                                RIGHT.cutting(),
                                kept -> kept.stream()
                                        .mapToLong(CheckpointSaved::groupsOffset)
                                        .max()
                                        .orElse(0),
                                RIGHT.reading())),
                reading("steps that were taken back still stand", entries -> entries),
                reading(
                        "groups of steps that were taken back are forgotten",
                        entries -> Rollbacks.applied(entries).stream()
                                .map(TrainingStatePropertyTest::withoutTakenBack)
                                .toList()));
    }

    private static Arguments cutting(String rule, BiFunction<TrainingState, Cut, Cut> change) {
        Function<TrainingState, Cut> cutting = state -> change.apply(state, state.decideCut());
        return Arguments.of(rule, new Choices(cutting, RIGHT.trimming(), RIGHT.reading()));
    }

    private static Arguments reading(String rule, UnaryOperator<List<LogEntry<Event>>> reading) {
        return Arguments.of(rule, new Choices(RIGHT.cutting(), RIGHT.trimming(), reading));
    }

    private static LogEntry<Event> withoutTakenBack(LogEntry<Event> entry) {
        return entry.event() instanceof BatchFormed formed
                ? new LogEntry<>(
                        new BatchFormed(
                                formed.runId(),
                                formed.epoch(),
                                formed.step(),
                                formed.groups(),
                                formed.dropped().stream()
                                        .filter(drop -> drop.reason() != DropReason.ROLLED_BACK)
                                        .toList(),
                                formed.cursorNext(),
                                formed.weightVersion(),
                                formed.sha256()),
                        entry.id(),
                        entry.partition(),
                        entry.offset())
                : entry;
    }

    private static boolean isNoticed(long seed, Choices choices) {
        try {
            play(seed, choices);
            return false;
        } catch (AssertionError | IllegalStateException e) {
            return true;
        }
    }

    private static TrainingWorld play(long seed, Choices choices) {
        TrainingWorld world = new TrainingWorld(seed, choices);
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
