package dev.sluice.rollout.engine;

import dev.sluice.process.ChildExit;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.rollout.weights.WeightVersions;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A place for one engine: keeps one alive in it, at the newest weight version, until the slot is closed. A dead engine is
 * followed by another one with another id. Used on the core's thread.
 */
final class EngineSlot {
    private final EnginePool.Surroundings around;
    private final Supplier<String> engineIds;
    private final Share share;
    private final List<Integer> gpus;
    private final RespawnDelay respawnDelay = new RespawnDelay();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private @Nullable Engine engine;
    private boolean closing;

    EngineSlot(EnginePool.Surroundings around, Supplier<String> engineIds, Share share, List<Integer> gpus) {
        this.around = around;
        this.engineIds = engineIds;
        this.share = share;
        this.gpus = gpus;
    }

    Optional<Engine> engine() {
        return Optional.ofNullable(engine);
    }

    void launch() {
        if (closing) {
            return;
        }
        Engine next = new Engine(
                engineIds.get(),
                share.recipe().maxRunningRequests(),
                around.core().now());
        engine = next;
        watchDeadline(next);
        around.core()
                .background(
                        "launch-" + next.id(),
                        () -> around.launcher().launch(next.id(), share, gpus),
                        (process, failure) -> launched(next, process, failure));
    }

    private void launched(Engine next, @Nullable EngineProcess process, @Nullable Throwable failure) {
        if (process == null) {
            die(next, "it could not be started: " + (failure == null ? "no process" : failure.getMessage()));
            return;
        }
        next.startedAs(process);
        process.exited().whenComplete((exit, ignored) -> around.core().execute(() -> ended(next, exit)));
        if (!(next.state() instanceof EngineState.Launching)) {
            kill(next, Duration.ZERO); // it was told to end while it was being started
            return;
        }
        move(next, next.state().started(around.core().now()));
        around.reports().started(next, process);
        new EngineHealth(around.core(), next, this::recovered, this::suspected, reason -> unhealthy(next, reason))
                .begin(() -> answered(next));
    }

    private void answered(Engine next) {
        if (next.state() instanceof EngineState.Loading) {
            next.answers();
            reconcile();
        }
    }

    /** Brings the engine towards the newest weight version, as far as it may go now. */
    void reconcile() {
        Engine current = engine;
        if (current == null) {
            return;
        }
        WeightVersions weights = around.weights();
        switch (current.state()) {
            case EngineState.Loading loading
            when current.answered() && weights.newestVersion() == 0 -> becomeReady(current, 0);
            case EngineState.Loading loading when current.answered() && weights.newestIsLoadable() -> load(current);
            case EngineState.Ready ready
            when weights.newestVersion() > ready.version()
                    && weights.newestIsLoadable()
                    && !around.work().pins(ready.version()) -> {
                move(
                        current,
                        ready.quiesce(weights.newestVersion(), around.core().now()));
                loadWhenIdle(current);
            }
            case EngineState.Quiescing quiescing -> loadWhenIdle(current);
            case EngineState.Loading loading -> {}
            case EngineState.Ready ready -> {}
            case EngineState.Launching launching -> {}
            case EngineState.Updating updating -> {}
            case EngineState.Suspect suspect -> {}
            case EngineState.Draining draining -> {}
            case EngineState.Dead dead -> {}
        }
    }

    private void loadWhenIdle(Engine current) {
        if (current.running() == 0) {
            load(current);
        }
    }

    private void load(Engine current) {
        WeightSource source = around.weights().loadable().orElseThrow();
        EngineState.Updating updating =
                current.state().update(source.version(), around.core().now());
        move(current, updating);
        Duration deadline = around.deadlines().weightLoad();
        around.core()
                .background(
                        "load-" + current.id(),
                        () -> current.api().load(source, deadline),
                        (verified, failure) -> loaded(current, updating, verified, failure));
    }

    private void loaded(
            Engine current,
            EngineState.Updating updating,
            @Nullable List<String> verified,
            @Nullable Throwable failure) {
        if (current.state() != updating) {
            return;
        }
        if (verified == null) {
            unhealthy(current, "version %d was not loaded: %s".formatted(updating.to(), failure));
            return;
        }
        Duration withoutWork = Duration.between(updating.since(), around.core().now());
        around.reports().weightsLoaded(current, updating.to(), withoutWork, WeightSource.verified(verified));
        becomeReady(current, updating.to());
    }

    private void becomeReady(Engine current, int version) {
        move(current, current.state().ready(version, around.core().now()));
        if (!current.announce(around.core().now())) {
            announce(current, version);
        }
        around.work().enginesChanged();
        reconcile(); // a newer version may have come meanwhile
    }

    private void announce(Engine current, int version) {
        around.reports()
                .ready(
                        current,
                        version,
                        Duration.between(current.launched(), around.core().now()));
    }

    /** Announces an engine again under the epoch of a newer assignment. */
    void announceAgain() {
        if (engine != null && engine.state() instanceof EngineState.Ready ready) {
            announce(engine, ready.version());
        }
    }

    /** Version 0 was published: the engine holds it since its start. */
    void acknowledgeSource() {
        if (engine != null && engine.state() instanceof EngineState.Ready ready && ready.version() == 0) {
            around.reports().weightsLoaded(engine, 0, Duration.ZERO, List.of("source directory"));
        }
    }

    private void recovered(Engine current) {
        if (current.state() instanceof EngineState.Suspect suspect) {
            move(current, suspect.ready(suspect.version(), around.core().now()));
            around.work().enginesChanged();
            reconcile();
        }
    }

    /** A check or a call failed; an engine that is not serving is judged by its deadline alone. */
    void suspected(Engine current, String reason) {
        switch (current.state()) {
            case EngineState.Ready ready ->
                move(current, ready.suspect(reason, around.core().now()));
            case EngineState.Suspect suspect
            when suspect.failures() + 1 >= EngineHealth.FAILURES ->
                unhealthy(current, reason + ", " + EngineHealth.FAILURES + " times in a row");
            case EngineState.Suspect suspect ->
                move(current, suspect.suspect(reason, around.core().now()));
            case EngineState.Launching launching -> {}
            case EngineState.Loading loading -> {}
            case EngineState.Quiescing quiescing -> {}
            case EngineState.Updating updating -> {}
            case EngineState.Draining draining -> {}
            case EngineState.Dead dead -> {}
        }
    }

    void unhealthy(Engine current, String reason) {
        if (current.state() instanceof EngineState.Dead || current.state() instanceof EngineState.Draining) {
            return;
        }
        around.reports().unhealthy(current, reason);
        die(current, reason);
    }

    private void die(Engine current, String reason) {
        move(current, current.state().die(reason, around.core().now()));
        around.work().lost(current);
        if (current.process() == null) {
            ended(current, null);
        } else {
            kill(current, Duration.ZERO);
        }
    }

    private void kill(Engine current, Duration grace) {
        EngineProcess process = current.process();
        if (process != null) {
            around.core()
                    .background("stop-" + current.id(), () -> process.stop(grace), (exit, f) -> ended(current, exit));
        }
    }

    private void ended(Engine current, @Nullable ChildExit exit) {
        if (current.end()) {
            return;
        }
        String reason = switch (current.state()) {
            case EngineState.Dead dead -> dead.reason();
            case EngineState.Draining draining -> draining.reason();
            default -> "the process ended by itself";
        };
        if (!(current.state() instanceof EngineState.Dead)) {
            move(current, current.state().die(reason, around.core().now()));
            around.work().lost(current);
        }
        around.reports().stopped(current, reason, exit);
        if (closing) {
            closed.complete(null);
            return;
        }
        Duration readyFor = current.firstReady() == null
                ? Duration.ZERO
                : Duration.between(current.firstReady(), around.core().now());
        around.core().after(respawnDelay.next(readyFor), this::launch);
    }

    /** Ends the engine in order and starts no other. */
    CompletableFuture<Void> close(String reason) {
        if (closing) {
            return closed;
        }
        closing = true;
        Engine current = engine;
        if (current == null || current.state() instanceof EngineState.Dead) {
            closed.complete(null);
            return closed;
        }
        move(current, current.state().drain(reason, around.core().now()));
        around.work().lost(current);
        kill(current, around.deadlines().stop());
        return closed;
    }

    private void move(Engine current, EngineState to) {
        EngineState from = current.state();
        current.move(to);
        around.reports().moved(current, from);
        watchDeadline(current);
    }

    private void watchDeadline(Engine current) {
        EngineState state = current.state();
        state.deadline(around.deadlines())
                .ifPresent(deadline -> around.core().after(deadline, () -> {
                    if (current.state() == state) {
                        overdue(current, state, deadline);
                    }
                }));
    }

    private void overdue(Engine current, EngineState state, Duration deadline) {
        if (state instanceof EngineState.Quiescing) {
            load(current); // what still runs is aborted by the pause and sampled again
        } else if (!(state instanceof EngineState.Draining)) {
            String trouble = around.weights().trouble().map(text -> "; " + text).orElse("");
            unhealthy(current, "it was %s for more than %s%s".formatted(state.name(), deadline, trouble));
        }
    }
}
