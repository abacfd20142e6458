package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import dev.sluice.rollout.engine.Progress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which engines are trusted: by what they generate, not by what they say about themselves. */
class EngineHealthTest {
    @TempDir
    Path folder;

    @Test
    void anEngineGeneratesOnceBeforeItTakesWork() {
        // When
        FakeRun run = run().serve();
        // Then
        FakeEngine engine = run.engines.newest();
        assertThat(engine.canaries).hasSize(1).first().satisfies(canary -> {
            assertThat(canary.samplingParams().temperature())
                    .as("as a run samples, so that the same kernels are compiled")
                    .isEqualTo(1);
            assertThat(canary.returnLogprob()).isTrue();
        });
        assertThat(run.log.of(EngineReady.class)).hasSize(1);
    }

    @Test
    void anEngineThatAnswersButCannotGenerateIsReplacedBeforeItTakesWork() {
        // Given
        FakeRun run = run();
        run.engines.misfortune = engine -> engine.generatesNothing = engine.number == 1;
        // When
        run.serve();
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason())
                .contains("its first generation failed", "no answer within PT1M");
        assertThat(run.log.of(EngineReady.class))
                .extracting(EngineReady::engineId)
                .containsExactly("engine-2");
    }

    @Test
    void anEngineThatHoldsOtherWeightsThanItSaysIsReplacedBeforeItTakesWork() throws Exception {
        // Given
        FakeRun run = run();
        run.engines.misfortune = engine -> engine.labelAfterLoad = engine.number == 1 ? "3" : null;
        run.publish(4);
        // When
        run.serve();
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason())
                .contains("sent with weight version 4 and answered with '3'");
        assertThat(run.log.of(EngineReady.class))
                .extracting(EngineReady::weightVersion)
                .containsExactly(4);
    }

    @Test
    void aBusyEngineWhoseTokensMoveIsTrustedWhateverItsHealthSays() {
        // Given
        FakeRun run = run().serve();
        FakeEngine engine = run.engines.newest();
        AtomicInteger tokens = new AtomicInteger();
        engine.healthy = false; // a stock engine in a long prefill
        engine.progress = () -> Optional.of(new Progress(4, tokens.incrementAndGet(), 0));
        run.core.hold("sample-");
        // When
        run.request(0);
        run.core.advance(Duration.ofMinutes(5));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class)).isEmpty();
        run.core.release("sample-");
        assertThat(run.log.of(GroupSampled.class)).hasSize(1);
    }

    @Test
    void anEngineWhoseTokensStandStillIsReplacedAlthoughItsHealthIsFine() {
        // Given
        FakeRun run = run().serve();
        run.core.hold("sample-");
        run.request(0);
        // When
        run.engines.newest().generatesNothing = true;
        run.core.advance(Duration.ofSeconds(45));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason())
                .matches("no token moved for 3[0-9]s with 4 samples on it, and a canary got no answer.*");
        run.core.release("sample-");
        assertThat(run.log.of(SamplesParked.class).getFirst().reason())
                .isEqualTo("engine engine-1 is gone and no other serves here");
        // When the trainer, which found nobody else, sends it again
        run.request(0);
        run.core.advance(Duration.ofSeconds(5));
        // Then
        assertThat(run.log.of(GroupSampled.class).getFirst().samples())
                .extracting(sample -> sample.engineId())
                .containsOnly("engine-2");
    }

    @Test
    void whatALivingEngineNeverAnswersIsAbortedThereAndSampledAgain() {
        // Given
        FakeRun run = run().serve();
        run.core.hold("sample-");
        run.request(0);
        // When
        run.core.advance(Duration.ofSeconds(45));
        run.core.release("sample-");
        // Then
        assertThat(run.engines.launched).hasSize(1);
        assertThat(run.engines.newest().aborted).containsExactly("run/0#0.1.1/");
        assertThat(run.engines.newest().requests)
                .extracting(request -> request.rid())
                .contains("run/0#0.1.2/0");
        assertThat(run.log.of(GroupSampled.class)).hasSize(1);
    }

    @Test
    void anEngineTooOldToSayWhatItComputesIsJudgedByItsHealth() {
        // Given
        FakeRun run = run().serve();
        run.engines.newest().progress = Optional::empty;
        run.core.hold("sample-");
        run.request(0);
        // When
        run.core.advance(Duration.ofMinutes(2));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class)).isEmpty();
        run.engines.newest().healthy = false;
        run.core.advance(Duration.ofSeconds(10));
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason()).contains("/health failed");
    }

    @Test
    void anIdleEngineGeneratesOnceInALongWhile() {
        // Given
        FakeRun run = run().serve();
        // When
        run.core.advance(Duration.ofSeconds(200));
        // Then: one at its start and one a minute
        assertThat(run.engines.newest().canaries).hasSize(1 + 3);
    }

    @Test
    void anIdleEngineThatGeneratesNoMoreIsReplacedAlthoughItsHealthIsFine() {
        // Given
        FakeRun run = run().serve();
        // When
        run.engines.newest().generatesNothing = true;
        run.core.advance(Duration.ofSeconds(70));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason())
                .contains("a canary got no answer", "3 times in a row");
        assertThat(run.engines.launched).hasSize(2);
    }

    private FakeRun run() {
        return new FakeRun(folder, 1, List.of());
    }
}
