package dev.sluice.rollout.engine;

import dev.sluice.events.Rollout;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.rollout.weights.WeightVersions;
import dev.sluice.sglang.MemoryTag;
import dev.sluice.sglang.PauseMode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Brings one engine towards the newest weights, and its memory to what the newest phase asks. A call that failed half way
 * leaves memory and weights that nobody knows, so its engine is replaced. Used on the core's thread.
 */
final class EngineWeights {
    private static final List<String> SENT = List.of("sent by the worker");

    private final EnginePool.Surroundings around;
    private final EngineLife life;
    private final Engine engine;
    private final WeightSource source;
    private final Fingerprint fingerprint;
    /** Whether its weights are being read beside its work. */
    private boolean fingerprinting;

    private EngineState.@Nullable Quiescing drained;

    /** @param source the weights that it starts with */
    EngineWeights(EnginePool.Surroundings around, EngineLife life, WeightSource source, Fingerprint fingerprint) {
        this.around = around;
        this.life = life;
        this.engine = life.engine();
        this.source = source;
        this.fingerprint = fingerprint;
    }

    /** What runs has had its time. */
    void drained(EngineState.Quiescing quiescing) {
        drained = quiescing;
        reconcile();
    }

    /** Makes the next move, as far as the engine may go now. */
    void reconcile() {
        switch (engine.state()) {
            case EngineState.Loading loading when engine.answered() -> answered(loading);
            case EngineState.Ready ready
            when mustStandStill(ready.version()) || isOutdated(ready.version()) -> {
                life.move(ready.quiesce(
                        around.weights().newestVersion(), around.core().now()));
                goOnFrom((EngineState.Quiescing) engine.state());
            }
            case EngineState.Suspect suspect
            when mustStandStill(suspect.version()) -> {
                life.move(suspect.quiesce(suspect.version(), around.core().now()));
                goOnFrom((EngineState.Quiescing) engine.state());
            }
            case EngineState.Quiescing quiescing -> goOnFrom(quiescing);
            case EngineState.Paused paused -> goOnFrom(paused);
            case EngineState.AwaitingWeights awaiting when around.phases().standStill() -> handOver();
            case EngineState.AwaitingWeights awaiting when around.weights().newestIsLoadable() -> load();
            case EngineState.AwaitingWeights awaiting -> {}
            case EngineState.Loading loading -> {}
            case EngineState.Ready ready -> {}
            case EngineState.Suspect suspect -> {}
            case EngineState.Launching launching -> {}
            case EngineState.Following following -> {}
            case EngineState.Warming warming -> {}
            case EngineState.Updating updating -> {}
            case EngineState.HandingOver handingOver -> {}
            case EngineState.Draining draining -> {}
            case EngineState.Dead dead -> {}
        }
    }

    private void answered(EngineState.Loading loading) {
        WeightVersions weights = around.weights();
        EngineProcess process = engine.process();
        if (around.phases().standStill()) {
            handOver();
        } else if (weights.newestHasNoFiles()) {
            life.move(loading.awaitWeights(around.core().now()));
        } else if (weights.newestVersion() > 0) {
            if (weights.newestIsLoadable()) {
                load();
            }
        } else if (process != null && process.adopted()) {
            load(source); // nobody knows what it held before
        } else {
            life.warm(0);
        }
    }

    /** Work that only its version may do goes on where no memory is asked for: that engine gets its weights later. */
    private boolean mustStandStill(int version) {
        RunPhases phases = around.phases();
        return phases.standStill()
                && (phases.needsEveryEngine() || !around.work().pins(engine, version));
    }

    private boolean isOutdated(int version) {
        WeightVersions weights = around.weights();
        return weights.newestVersion() > version
                && (weights.newestIsLoadable() || weights.newestHasNoFiles())
                && !around.work().pins(engine, version);
    }

    private void goOnFrom(EngineState.Quiescing quiescing) {
        RunPhases phases = around.phases();
        WeightVersions weights = around.weights();
        if (phases.needsEveryEngine() && fingerprinting) {
            return; // an engine that reads weights which it has released dies; this comes again when it has read them
        }
        // What goes on across the load need not be waited for.
        boolean idle = engine.running() == 0 || pause().goesOn();
        if (!idle && quiescing != drained) {
            return;
        }
        if (phases.standStill()) {
            handOver();
        } else if (quiescing.version() >= weights.newestVersion()) {
            life.becomeReady(quiescing.version());
        } else if (weights.newestIsLoadable()) {
            load();
        } else if (weights.newestHasNoFiles()) {
            life.move(quiescing.awaitWeights(around.core().now()));
        } else {
            life.becomeReady(quiescing.version());
        }
    }

    private void goOnFrom(EngineState.Paused paused) {
        RunPhases phases = around.phases();
        WeightVersions weights = around.weights();
        if (phases.asked() != Phase.GENERATE) {
            if (phases.asked() != paused.phase()) {
                handOver();
            }
        } else if (paused.phase() == Phase.SYNC) {
            if (phases.sentTo(engine.id())) {
                resume(paused, phases.version(), null);
            } else {
                life.unhealthy("it stood still for version %d, which did not come into its memory whole"
                        .formatted(phases.version()));
            }
        } else if (weights.newestVersion() == 0) {
            resume(paused, 0, source);
        } else if (weights.newestIsLoadable()) {
            WeightSource newest = weights.loadable().orElseThrow();
            resume(paused, newest.version(), newest);
        } else if (weights.newestHasNoFiles()) {
            life.unhealthy("it has released its weights, and version %d has no files and was not sent to it"
                    .formatted(weights.newestVersion()));
        }
    }

    /** Requests cannot outlive the memory that they stand in. */
    private Rollout.PauseMode pause() {
        return around.phases().needsEveryEngine() ? Rollout.PauseMode.ABORT : engine.pauseNow();
    }

    private void handOver() {
        RunPhases phases = around.phases();
        boolean works = !(engine.state() instanceof EngineState.Paused);
        EngineState.HandingOver handing = engine.state()
                .handOver(phases.asked(), phases.released(), around.core().now());
        life.move(handing);
        PauseMode pause = PauseMode.valueOf(pause().name());
        around.core()
                .background(
                        "phase-" + engine.id(),
                        () -> handOver(handing, works ? pause : null),
                        (done, failure) -> handedOver(handing, failure));
    }

    private Boolean handOver(EngineState.HandingOver handing, @Nullable PauseMode pause) {
        EngineApi api = engine.api();
        Duration deadline = around.deadlines().weightLoad();
        if (pause != null) {
            api.standStill(pause, deadline);
        }
        Set<MemoryTag> more = without(handing.released(), handing.before());
        if (!more.isEmpty()) {
            api.release(more, deadline);
        }
        Set<MemoryTag> again = without(handing.before(), handing.released());
        if (!again.isEmpty()) {
            api.resume(again, deadline);
        }
        return true;
    }

    private static Set<MemoryTag> without(Set<MemoryTag> all, Set<MemoryTag> those) {
        EnumSet<MemoryTag> rest = EnumSet.noneOf(MemoryTag.class);
        rest.addAll(all);
        rest.removeAll(those);
        return rest;
    }

    private void handedOver(EngineState.HandingOver handing, @Nullable Throwable failure) {
        if (engine.state() != handing) {
            return;
        }
        if (failure != null) {
            life.unhealthy("it did not stand still for %s: %s".formatted(handing.phase(), failure));
            return;
        }
        life.move(handing.paused(around.core().now()));
        reconcile(); // another phase may have come meanwhile
    }

    private void load() {
        load(around.weights().loadable().orElseThrow());
    }

    private void load(WeightSource weights) {
        Duration deadline = around.deadlines().weightLoad();
        PauseMode pause = PauseMode.valueOf(engine.pauseNow().name());
        update(weights.version(), () -> checks(weights, engine.api().load(weights, pause, deadline)));
    }

    /**
     * An engine that stands still takes its memory again and goes on.
     *
     * @param weights to be loaded; null where the worker has put them there
     */
    private void resume(EngineState.Paused paused, int version, @Nullable WeightSource weights) {
        update(version, () -> resumed(paused.released(), version, weights));
    }

    private List<String> resumed(Set<MemoryTag> released, int version, @Nullable WeightSource weights) {
        EngineApi api = engine.api();
        Duration deadline = around.deadlines().weightLoad();
        Set<MemoryTag> rest = without(released, Set.of(MemoryTag.WEIGHTS));
        List<String> checked = new ArrayList<>(SENT);
        if (weights != null) {
            // The rest comes later: loading takes memory of its own.
            api.resume(Set.of(MemoryTag.WEIGHTS), deadline);
            checked = new ArrayList<>(checks(weights, api.put(weights, false, deadline)));
        }
        if (!rest.isEmpty()) {
            api.resume(rest, deadline);
        }
        checked.addAll(api.goOn(version));
        return checked;
    }

    /** The source directory has no manifest. */
    private static List<String> checks(WeightSource weights, List<String> byEngine) {
        return weights.version() == 0 ? byEngine : WeightSource.verified(byEngine);
    }

    private void update(int version, Callable<List<String>> work) {
        EngineState.Updating updating =
                engine.state().update(version, around.core().now());
        life.move(updating);
        around.core()
                .background("load-" + engine.id(), work, (verified, failure) -> updated(updating, verified, failure));
    }

    private void updated(EngineState.Updating updating, @Nullable List<String> verified, @Nullable Throwable failure) {
        if (engine.state() != updating) {
            return;
        }
        if (verified == null) {
            life.unhealthy("version %d was not loaded: %s".formatted(updating.to(), failure));
            return;
        }
        Duration withoutWork = Duration.between(updating.since(), around.core().now());
        around.reports().weightsLoaded(engine, updating.to(), withoutWork, verified);
        if (engine.firstReady() == null) {
            life.warm(updating.to());
        } else {
            life.becomeReady(updating.to());
            compare(updating.to());
        }
    }

    /** While it works: nothing but a release of its memory waits for the answer. */
    private void compare(int version) {
        if (engine.state().holds(version) && !around.phases().standStill()) {
            fingerprinting = true;
            fingerprint.compare(version, () -> {
                fingerprinting = false;
                reconcile();
            });
        }
    }
}
