package dev.sluice.rollout.task;

import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.engine.EngineState;
import dev.sluice.rollout.weights.WeightVersions;
import java.util.ArrayList;
import java.util.List;
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

    /** Where samples within this bound can go now. */
    Admission.Decision choose(VersionBound bound, int samples, @Nullable Home home) {
        List<Admission.Candidate> candidates = new ArrayList<>();
        pool.engines().forEach(engine -> {
            if (engine.state() instanceof EngineState.Ready ready) {
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
