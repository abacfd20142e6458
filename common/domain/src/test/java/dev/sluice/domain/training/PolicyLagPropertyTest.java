package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.DropReason;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Runs of any lag, with weights every k steps, over-sampling and slow engines, over the real rules. */
class PolicyLagPropertyTest {
    private static final int RUNS = 300;

    private final long firstSeed = Long.getLong("sluice.seed", System.nanoTime());

    @Test
    void noRunStallsAndNoneTrainsOnWhatItsPolicyForbids() {
        System.out.printf("seeds from %d (-Dsluice.seed=...)%n", firstSeed);
        Map<StaleSamples, Integer> beyondTheLag = new EnumMap<>(StaleSamples.class);
        EnumSet<DropReason> dropped = EnumSet.noneOf(DropReason.class);

        for (long seed = firstSeed; seed < firstSeed + RUNS; seed++) {
            LagWorld world = new LagWorld(seed);
            try {
                world.play();
            } catch (AssertionError e) {
                throw new AssertionError("seed %d: %s".formatted(seed, e.getMessage()), e);
            }
            assertThat(world.uses())
                    .hasSize(world.rules().steps() * world.rules().groupsPerStep());
            int old = (int) world.uses().stream()
                    .filter(use -> use.policyLag() > world.rules().maxPolicyLag())
                    .count();
            beyondTheLag.merge(world.rules().staleSamples(), old, Integer::sum);
            world.drops().forEach(drop -> dropped.add(drop.reason()));
        }

        // Else the runs prove nothing: samples did grow too old, and were dropped, masked and corrected.
        assertThat(dropped).contains(DropReason.STALE, DropReason.SURPLUS);
        assertThat(beyondTheLag.get(StaleSamples.DROP)).isZero();
        assertThat(beyondTheLag.get(StaleSamples.MASK)).isPositive();
        assertThat(beyondTheLag.get(StaleSamples.CORRECT)).isPositive();
    }
}
