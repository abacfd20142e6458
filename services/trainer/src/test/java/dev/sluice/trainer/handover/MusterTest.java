package dev.sluice.trainer.handover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Backend;
import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.trainer.dispatch.RolloutPool;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Instances a and b serve the run, and phase 4 is the newest. */
class MusterTest {
    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration SILENCE = Duration.ofSeconds(6);
    private static final int NUMBER = 4;

    private final RolloutPool pool = new RolloutPool();
    private List<RolloutShare> shares = List.of(share("a", "i1"), share("b", "i1"));

    @Test
    void everyInstanceOfTheAssignmentIsAwaitedUntilItHasAnsweredThePhase() {
        heard("a", "i1", State.READY, NOW);
        heard("b", "i1", State.READY, NOW);
        answered("a", "i1", NUMBER, place("a-1", false));

        Muster muster = muster();

        assertThat(muster.holding()).containsExactly("b");
        assertThat(muster.late(NOW, SILENCE)).containsExactly("b");
        assertThat(muster.engines()).extracting(EnginePlace::engineId).containsExactly("a-1");
        assertThat(muster.situation(muster.holding())).isEqualTo("1 of 2 instances have answered; missing: b");
    }

    @Test
    void anAnswerToAnEarlierPhaseDoesNotCount() {
        heard("a", "i1", State.READY, NOW);
        answered("a", "i1", NUMBER - 1, place("a-1", true));

        assertThat(muster().holding()).contains("a");
        assertThat(muster().engines()).isEmpty();
        assertThat(muster().isLacking(NOW, SILENCE)).isFalse();
    }

    @Test
    void anAnswerOfAnEarlierLifeOfTheInstanceDoesNotCount() {
        heard("a", "i1", State.READY, NOW);
        answered("a", "i0", NUMBER, place("a-1", false));

        assertThat(muster().holding()).contains("a");
    }

    @Test
    void anInstanceThatFellSilentMayHoldMemoryButGetsNoWeights() {
        heard("a", "i1", State.READY, NOW.minusSeconds(60));

        assertThat(muster().holding()).contains("a");
        assertThat(muster().late(NOW, SILENCE)).doesNotContain("a");
    }

    @Test
    void anInstanceThatHasEndedInOrderIsNotAwaited() {
        heard("a", "i1", State.STOPPED, NOW);

        assertThat(muster().holding()).containsExactly("b");
        assertThat(muster().late(NOW, SILENCE)).isEmpty();
    }

    @Test
    void aLaterLifeOfAnInstanceIsAwaitedOnceItIsAssigned() {
        heard("a", "i2", State.READY, NOW);
        assertThat(muster().late(NOW, SILENCE)).isEmpty();

        shares = List.of(share("a", "i2"));

        assertThat(muster().late(NOW, SILENCE)).containsExactly("a");
    }

    @Test
    void anInstanceThatNobodyHeardOfMayHoldMemory() {
        assertThat(muster().holding()).containsExactly("a", "b");
        assertThat(muster().situation(muster().holding()))
                .isEqualTo("0 of 2 instances have answered; missing: a (never heard of), b (never heard of)");
    }

    @Test
    void enginesComeInTheOrderOfTheAssignment() {
        answered("b", "i1", NUMBER, place("b-1", false), place("b-2", false));
        answered("a", "i1", NUMBER, place("a-1", false));

        assertThat(muster().engines()).extracting(EnginePlace::engineId).containsExactly("a-1", "b-1", "b-2");
    }

    @Test
    void anEngineLacksWeightsOnceItsInstanceSaysSoOfThisPhase() {
        heard("a", "i1", State.READY, NOW);
        answered("a", "i1", NUMBER, place("a-1", false));
        assertThat(muster().isLacking(NOW, SILENCE)).isFalse();

        answered("a", "i1", NUMBER, place("a-1", false), place("a-2", true));

        assertThat(muster().isLacking(NOW, SILENCE)).isTrue();
        assertThat(muster().isLacking(NOW.plusSeconds(60), SILENCE))
                .as("of an instance that fell silent")
                .isFalse();
    }

    private Muster muster() {
        return Muster.of(pool, "run", shares, NUMBER);
    }

    private static RolloutShare share(String instanceId, String incarnation) {
        return new RolloutShare(instanceId, incarnation, 1, List.of());
    }

    private static EnginePlace place(String engineId, boolean lacksWeights) {
        return new EnginePlace(engineId, "http://" + engineId, 1, lacksWeights);
    }

    private void answered(String instanceId, String incarnation, int number, EnginePlace... engines) {
        pool.accept(new PhaseReached("run", 1, instanceId, incarnation, number, Arrays.asList(engines)));
    }

    private void heard(String instanceId, String incarnation, State state, Instant at) {
        pool.accept(new InstanceSnapshot(
                instanceId,
                incarnation,
                InstanceSnapshot.Role.ROLLOUT,
                state,
                "localhost",
                1,
                Backend.CPU,
                0,
                1024,
                1,
                0,
                Map.of(),
                at));
    }
}
