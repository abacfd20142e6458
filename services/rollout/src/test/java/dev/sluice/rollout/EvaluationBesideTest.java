package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Groups that one weight version alone may sample, beside others, on one instance. */
class EvaluationBesideTest {
    @TempDir
    Path folder;

    @Test
    void halfOfTheEnginesKeepAMeasuredVersionAndTheOthersGoOn() throws IOException {
        // Given
        FakeRun two = new FakeRun(folder, 2, List.of()).serve();
        two.core.hold("sample-run/eval/0");
        two.request(evaluation(two, 0));
        // When
        two.publish(1);
        two.request(training(two, 1, 1));
        // Then
        assertThat(two.engines.launched).extracting(engine -> engine.loaded).containsExactly(List.of(), List.of(1));
        assertThat(versions(two)).containsExactly(1);
        // And when
        two.core.release("sample-run/eval/0");
        // Then
        assertThat(versions(two)).containsExactly(1, 0);
        assertThat(two.engines.launched).extracting(engine -> engine.loaded).containsExactly(List.of(1), List.of(1));
    }

    @Test
    void measuringTakesHalfOfTheEnginesHoweverMuchOfItWaits() {
        // Given
        FakeRun two = new FakeRun(folder, 2, List.of()).serve();
        two.core.hold("sample-run/eval");
        // When
        IntStream.range(0, 20).forEach(row -> two.request(evaluation(two, row)));
        two.request(training(two, 1, 0));
        two.core.release("sample-run/eval");
        // Then
        assertThat(two.log.of(GroupSampled.class).getFirst().cursor()).isEqualTo(1);
        assertThat(two.engines.launched.get(1).requests).hasSize(FakeRun.SAMPLES);
        assertThat(two.log.of(GroupSampled.class)).hasSize(21);
    }

    @Test
    void trainingDoesNotOvertakeWhatIsMeasuredOnTheOnlyEngine() {
        // Given
        FakeRun one = new FakeRun(folder, 1, List.of()).serve();
        one.core.hold("sample-run/eval");
        // When
        IntStream.range(0, 3).forEach(row -> one.request(evaluation(one, row)));
        one.request(training(one, 1, 0));
        // Then
        assertThat(one.log.of(GroupSampled.class)).isEmpty();
        one.core.release("sample-run/eval");
        assertThat(one.log.of(GroupSampled.class))
                .extracting(GroupSampled::cursor)
                .containsExactly(-1L, -1L, -1L, 1L);
        assertThat(one.log.of(GroupAbandoned.class)).isEmpty();
    }

    private static List<Integer> versions(FakeRun run) {
        return run.log.of(GroupSampled.class).stream()
                .map(group -> group.samples().getFirst().versions().getFirst())
                .map(VersionSpan::version)
                .toList();
    }

    private static GroupRequested evaluation(FakeRun run, int row) {
        return task(run, "run/eval/" + row, -1, 0, 0);
    }

    private static GroupRequested training(FakeRun run, long cursor, int minVersion) {
        return task(run, "run/" + cursor, cursor, minVersion, null);
    }

    private static GroupRequested task(FakeRun run, String groupId, long cursor, int min, Integer exact) {
        return new GroupRequested(
                "run",
                1,
                groupId,
                cursor,
                0,
                0,
                "rollout-1",
                Prompt.of("1+1="),
                "01",
                "exact",
                FakeRun.SAMPLES,
                new Sampling(1, 1, -1, 8, 42),
                min,
                exact,
                run.core.now().plusSeconds(3600));
    }
}
