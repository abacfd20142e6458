package dev.sluice.domain.ledger;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class HandOversTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final HandOvers handOvers = new HandOvers("run-1");

    @Test
    void aRunThatHandsNothingOverIsInNoPhase() {
        assign("a");

        assertThat(handOvers.now()).isEmpty();
    }

    @Test
    void instancesAreAwaitedUntilTheySayThatTheirEnginesAreInThePhase() {
        assign("a");
        phase(3, Phase.TRAIN);
        reached("rollout-1", "a", 3);
        reached("rollout-2", "a", 2);

        HandOvers.Now now = handOvers.now().orElseThrow();

        assertThat(now.awaited()).containsExactly("rollout-2");
        assertThat(now.text()).isEqualTo("train (3), waits for rollout-2");
    }

    @Test
    void whatAnEarlierProcessOfAnInstanceSaidDoesNotCount() {
        phase(3, Phase.TRAIN);
        reached("rollout-1", "a", 3);
        reached("rollout-2", "a", 3);
        assign("b");

        assertThat(handOvers.now().orElseThrow().awaited()).containsExactly("rollout-1", "rollout-2");
    }

    @Test
    void thePhaseWithTheHighestNumberCountsWhateverTheEpoch() {
        assign("a");
        phase(4, Phase.GENERATE);
        phase(3, Phase.TRAIN);
        reached("rollout-1", "a", 4);
        reached("rollout-2", "a", 4);

        assertThat(handOvers.now().orElseThrow().text()).isEqualTo("generate (4)");
    }

    private void assign(String incarnation) {
        handOvers.apply(
                new RunAssigned(
                        "run-1",
                        1,
                        new TrainerShare("trainer-1", "a", 1),
                        List.of(
                                new RolloutShare("rollout-1", incarnation, 1, List.of()),
                                new RolloutShare("rollout-2", incarnation, 1, List.of())),
                        "new"),
                NOON);
    }

    private void phase(int number, Phase phase) {
        handOvers.apply(new PhaseChanged("run-1", 1, number, phase, 0, List.of()), NOON);
    }

    private void reached(String instance, String incarnation, int number) {
        handOvers.apply(new PhaseReached("run-1", 1, instance, incarnation, number, List.of()), NOON);
    }
}
