package dev.sluice.rollout.engine;

import dev.sluice.events.Plan.Fallback;
import dev.sluice.rollout.assignment.Share.EngineRecipe;
import java.util.List;
import java.util.Optional;

/** Arguments of the next start: the plan's, or those of the fallback that the last start without memory led to. */
final class StartLadder {
    /** More than the plan writes; a guard against plans that are not its own. */
    static final int MOST = 4;

    private final List<String> planned;
    private final List<Fallback> rungs;
    private int taken;

    StartLadder(EngineRecipe recipe) {
        this.planned = recipe.args();
        this.rungs =
                recipe.fallbacks().subList(0, Math.min(MOST, recipe.fallbacks().size()));
    }

    List<String> args() {
        return taken == 0 ? planned : rungs.get(taken - 1).args();
    }

    /** Goes one down; empty where nothing is left to try, and the arguments stay. */
    Optional<Fallback> next() {
        return taken == rungs.size() ? Optional.empty() : Optional.of(rungs.get(taken++));
    }

    int taken() {
        return taken;
    }

    int rungs() {
        return rungs.size();
    }
}
