package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Random stories of a run that breaks off, and of another one that goes on from its newest cut, over the real rules. */
class AdoptionPropertyTest {
    private static final int STORIES = 1000;
    private static final int MOVES = 120;

    private final long firstSeed = Long.getLong("sluice.seed", System.nanoTime());

    @Test
    void noGroupThatIsTakenOverIsSampledAgainOrUsedTwiceAndEveryRunThatGoesOnEnds() {
        System.out.printf("seeds from %d (-Dsluice.seed=...)%n", firstSeed);
        int adopted = 0;
        int used = 0;

        for (long seed = firstSeed; seed < firstSeed + STORIES; seed++) {
            try {
                TrainingWorld world = new TrainingWorld(
                        seed, new TrainingWorld.Choices(TrainingState::decideCut, kept -> 0, Rollbacks::applied));
                world.disturb(MOVES);
                List<CheckpointSaved> cuts = world.logs().keptCuts();
                if (!cuts.isEmpty()) {
                    ResumedWorld resumed = new ResumedWorld(world, cuts.getLast());
                    resumed.run();
                    adopted += resumed.adoptedGroups();
                    used += resumed.adoptedAndUsed();
                }
            } catch (AssertionError | IllegalStateException e) {
                throw new AssertionError("seed " + seed + ": " + e.getMessage(), e);
            }
        }

        assertThat(adopted).isGreaterThan(STORIES / 2);
        assertThat(used).isGreaterThan(STORIES / 4);
    }
}
