package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Rollout.DynamicFilter;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CapacityTest {
    /** Counted by hand: 4 groups a step, a version each 2 steps. */
    @Test
    void asksForWhatTheLagAllowsAndEnginesTake() {
        TrainingRules rules = rules(10, 4, 2, 1, 0);

        assertThat(Capacity.of(rules, 0, 0, 0, 100)).isEqualTo(16); // versions 0 and 1 train on 8 groups each
        assertThat(Capacity.of(rules, 0, 8, 4, 100)).isEqualTo(4);
        assertThat(Capacity.of(rules, 0, 8, 4, 6)).isEqualTo(2); // 6 slots, 4 taken
        assertThat(Capacity.of(rules, 1, 16, 0, 100)).isEqualTo(8);
        assertThat(Capacity.of(rules, 4, 40, 0, 100)).isZero(); // 10 steps of 4 are all there is
        assertThat(Capacity.of(rules(10, 4, 2, 0, 3), 0, 0, 0, 100)).isEqualTo(11);
    }

    @Test
    void asksForAVersionThatIsYoungEnoughWhenTheGroupsTurnComes() {
        TrainingRules rules = rules(10, 4, 2, 1, 0);

        assertThat(Capacity.minimumVersion(rules, 0)).isZero();
        assertThat(Capacity.minimumVersion(rules, 15)).isZero(); // trained on at version 1
        assertThat(Capacity.minimumVersion(rules, 16)).isEqualTo(1); // at version 2
    }

    /** Groups finish or are dropped in any order, and versions come as they may: a step's groups always come together. */
    @Test
    void neverStalls() {
        long firstSeed = System.nanoTime();
        System.out.println("seeds from " + firstSeed);
        for (long seed = firstSeed; seed < firstSeed + 2000; seed++) {
            assertThat(stepsReached(new Random(seed))).as("seed %d", seed).isTrue();
        }
    }

    private static boolean stepsReached(Random random) {
        TrainingRules rules = rules(
                1 + random.nextInt(12),
                1 + random.nextInt(5),
                1 + random.nextInt(4),
                random.nextInt(3),
                random.nextInt(4));
        int slots = 1 + random.nextInt(6);
        int step = 0;
        int ready = 0;
        int running = 0;
        for (int moves = 0; step < rules.steps() && moves < 20_000; moves++) {
            int publications = step / rules.stepsPerVersion();
            long accepted = (long) step * rules.groupsPerStep() + ready;
            running += Capacity.of(rules, publications, accepted, running, slots);
            if (ready >= rules.groupsPerStep()) {
                ready -= rules.groupsPerStep();
                step++;
            } else if (running > 0) {
                running--;
                ready += random.nextInt(4) > 0 ? 1 : 0; // the others are dropped
            }
            if (ready > 0 && random.nextInt(20) == 0) {
                ready--; // gone stale
            }
        }
        return step == rules.steps();
    }

    private static TrainingRules rules(int steps, int groups, int stepsPerVersion, int lag, int oversample) {
        return new TrainingRules("run", steps, groups, 8, stepsPerVersion, lag, oversample, 3, DynamicFilter.NONE);
    }
}
