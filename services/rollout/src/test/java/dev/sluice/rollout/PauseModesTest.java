package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import dev.sluice.rollout.task.DirectRequests.Placement;
import dev.sluice.rollout.task.RoutedRequest;
import dev.sluice.sglang.FinishReason;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What new weights, and an engine's death, do to samples on the way. */
class PauseModesTest {
    private static final FinishReason LENGTH = new FinishReason.Length(8);

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource(
            value = PauseMode.class,
            names = {"RETRACT", "IN_PLACE"})
    void weightsAreLoadedAtOnceAndTheSamplesGoOnUnderThem(PauseMode mode) throws IOException {
        // Given
        FakeRun fake = served(mode, 1);
        FakeEngine engine = fake.engines.newest();
        engine.frames = request -> List.of(
                FakeEngine.frame(request, null, "default", 4, 5),
                FakeEngine.frame(request, null, "1", 4, 5, 6),
                FakeEngine.frame(request, LENGTH, "1", 4, 5, 6, 7, 8));
        fake.core.hold("sample-");
        fake.request(fake.task(0, PartialRollout.CONTINUE));
        // When
        fake.publish(1);
        // Then
        assertThat(fake.log.of(WeightsLoaded.class))
                .extracting(WeightsLoaded::version)
                .containsExactly(1);
        assertThat(engine.pauses).containsExactly(dev.sluice.sglang.PauseMode.valueOf(mode.name()));
        // When
        fake.core.release("sample-");
        // Then: the third token came in the first frame of version 1, so it counts to version 0
        GroupSampled sampled = fake.log.of(GroupSampled.class).getFirst();
        assertThat(sampled.samples()).hasSize(FakeRun.SAMPLES).allSatisfy(sample -> {
            assertThat(sample.versions()).containsExactly(new VersionSpan(0, 3), new VersionSpan(1, 2));
            assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1, 1, 1);
        });
        assertThat(sampled.tokensAborted()).isZero();
    }

    @Test
    void maskedSamplesAreTrainedOnUnderTheirNewestVersionAlone() throws IOException {
        FakeRun fake = served(PauseMode.IN_PLACE, 1);
        fake.engines.newest().frames = request -> List.of(
                FakeEngine.frame(request, null, "default", 4, 5),
                FakeEngine.frame(request, null, "1", 4, 5, 6),
                FakeEngine.frame(request, LENGTH, "1", 4, 5, 6, 7, 8));
        fake.core.hold("sample-");
        fake.request(fake.task(0, PartialRollout.CONTINUE_MASKED));
        fake.publish(1);

        fake.core.release("sample-");

        Sample sample = fake.log.of(GroupSampled.class).getFirst().samples().getFirst();
        assertThat(sample.lossMask().toArray()).containsExactly(0, 0, 0, 1, 1);
    }

    @Test
    void inModeAbortWhatRunsHasAMomentToFinish() throws IOException {
        FakeRun fake = served(PauseMode.ABORT, 1);
        fake.core.hold("sample-");
        fake.request(fake.task(0, PartialRollout.CONTINUE));

        fake.publish(1);
        List<Integer> atOnce = List.copyOf(fake.engines.newest().loaded);
        fake.core.advance(Duration.ofSeconds(3));

        assertThat(atOnce).isEmpty();
        assertThat(fake.engines.newest().pauses).containsExactly(dev.sluice.sglang.PauseMode.ABORT);
    }

    @Test
    void inModeAbortAReplyOfTwoVersionsIsRefused() {
        FakeRun fake = served(PauseMode.ABORT, 1);
        fake.engines.newest().frames = request -> List.of(
                FakeEngine.frame(request, null, "default", 4, 5), FakeEngine.frame(request, LENGTH, "1", 4, 5, 6));

        fake.request(fake.task(0, PartialRollout.CONTINUE));

        assertThat(fake.log.of(GroupSampled.class)).isEmpty();
        assertThat(fake.engines.newest().requests).hasSize(2 * FakeRun.SAMPLES);
    }

    @Test
    void aRequestThatOnlyOneVersionMaySampleIsAbortedInsteadOfMixed() throws IOException {
        // Given
        FakeRun fake = served(PauseMode.IN_PLACE, 1);
        Placement placed = fake.run.direct().place(new RoutedRequest(null, 0, null, null, 1));
        // When
        fake.publish(1);
        fake.core.advance(Duration.ofSeconds(3));
        // Then
        assertThat(placed).isInstanceOf(Placement.To.class);
        assertThat(fake.engines.newest().pauses).containsExactly(dev.sluice.sglang.PauseMode.ABORT);
    }

    @Test
    void samplesOfADeadEngineGoOnFromWhatItHadSent() {
        // Given
        FakeRun fake = served(PauseMode.ABORT, 2);
        FakeEngine dying = fake.engines.launched.get(0);
        FakeEngine other = fake.engines.launched.get(1);
        dying.diesInStream = true;
        dying.frames = request -> request.rid().endsWith("/0")
                ? List.of(FakeEngine.frame(request, LENGTH, "default", 4, 5, 6, 7, 8, 9, 10, 11))
                : List.of(FakeEngine.frame(request, null, "default", 4, 5, 6));
        // When
        fake.request(fake.task(0, PartialRollout.CONTINUE));
        // Then
        GroupSampled sampled = fake.log.of(GroupSampled.class).getFirst();
        assertThat(dying.requests).hasSize(4);
        assertThat(other.requests).hasSize(3);
        assertThat(sampled.samples().getFirst().tokens().toArray()).containsExactly(4, 5, 6, 7, 8, 9, 10, 11);
        assertThat(sampled.samples().subList(1, 4))
                .allSatisfy(sample -> assertThat(sample.tokens().toArray()).containsExactly(4, 5, 6, 5, 6));
        assertThat(sampled.samples().getFirst().engineId()).isEqualTo("engine-1");
        assertThat(sampled.samples().getLast().engineId()).isEqualTo("engine-2");
        assertThat(sampled.tokensAborted()).isZero();
    }

    private FakeRun served(PauseMode mode, int engines) {
        return new FakeRun(folder, engines, List.of()).pausing(mode).serve();
    }
}
