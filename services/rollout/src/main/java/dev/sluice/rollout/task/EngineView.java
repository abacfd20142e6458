package dev.sluice.rollout.task;

import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.engine.EngineState;
import dev.sluice.rollout.weights.WeightVersions;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The engines of a run as its groups see them. Used on the core's thread. */
final class EngineView {
    private final EnginePool pool;
    private final WeightVersions weights;

    EngineView(EnginePool pool, WeightVersions weights) {
        this.pool = pool;
        this.weights = weights;
    }

    /**
     * The engines that keep a version while work is there that it alone may do: half of all, at least one, so that the others go
     * on to newer versions and do other work.
     */
    List<String> keepers(int version) {
        long share = Math.max(1, pool.engines().count() / 2);
        return pool.engines()
                .filter(engine -> switch (engine.state()) {
                    case EngineState.Ready ready -> ready.version() == version;
                    case EngineState.Suspect suspect -> suspect.version() == version;
                    case EngineState other -> false;
                })
                .limit(share)
                .map(Engine::id)
                .toList();
    }

    /**
     * Where samples within this bound can go now.
     *
     * @param reserved engines that take nothing now
     */
    Admission.Decision choose(VersionBound bound, int samples, @Nullable Home home, Set<String> reserved) {
        Integer exact = bound.exact();
        List<String> keepers = exact == null ? List.of() : keepers(exact);
        List<Admission.Candidate> candidates = new ArrayList<>();
        pool.engines().forEach(engine -> {
            boolean open = exact == null ? !reserved.contains(engine.id()) : keepers.contains(engine.id());
            if (open && engine.state() instanceof EngineState.Ready ready) {
                candidates.add(new Admission.Candidate(engine.id(), ready.version(), engine.limit(), engine.free()));
            }
        });
        return Admission.choose(bound, samples, home == null ? null : home.engineId(), candidates);
    }

    Engine byId(String engineId) {
        return pool.engines()
                .filter(engine -> engine.id().equals(engineId))
                .findFirst()
                .orElseThrow();
    }

    /** Engines only go to the newest version: an older one that none of them holds never comes back. */
    boolean isGone(VersionBound bound) {
        Integer exact = bound.exact();
        return exact != null
                && exact < weights.newestVersion()
                && pool.engines().noneMatch(engine -> engine.state().holds(exact));
    }

    /** Whether an engine serves, or will as soon as its weights are loaded. */
    boolean anyServes() {
        return pool.engines().anyMatch(engine -> switch (engine.state()) {
            case EngineState.Ready ready -> true;
            case EngineState.Quiescing quiescing -> true;
            case EngineState.Updating updating -> true;
            case EngineState.Warming warming -> true;
            case EngineState.HandingOver handingOver -> true;
            case EngineState.Paused paused -> true;
            case EngineState.AwaitingWeights awaiting -> true;
            case EngineState.Suspect suspect -> true;
            case EngineState.Launching launching -> false;
            case EngineState.Loading loading -> false;
            case EngineState.Following following -> false;
            case EngineState.Draining draining -> false;
            case EngineState.Dead dead -> false;
        });
    }

    /** What such a bound waits for, for people. */
    String situation(VersionBound bound) {
        String engines = pool.engines()
                .map(engine -> "%s %s with %d free".formatted(engine.id(), engine.state(), engine.free()))
                .collect(Collectors.joining(", "));
        return "it needs %s; newest is %d%s; engines: %s"
                .formatted(
                        bound,
                        weights.newestVersion(),
                        weights.trouble().map(trouble -> " (" + trouble + ")").orElse(""),
                        engines.isEmpty() ? "none" : engines);
    }
}
