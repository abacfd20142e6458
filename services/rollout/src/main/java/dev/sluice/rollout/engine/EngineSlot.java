package dev.sluice.rollout.engine;

import dev.sluice.events.Plan.Fallback;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.weights.WeightSource;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A place for one engine: keeps one alive in it until the slot is closed. A dead engine is followed by another one with
 * another id; one that found no memory at its start by one with the plan's next fallback. Used on the core's thread.
 */
final class EngineSlot {
    private final EnginePool.Surroundings around;
    private final Siblings siblings;
    private final Supplier<String> engineIds;
    private final Share share;
    private final List<Integer> gpus;
    private final StartLadder ladder;
    private final RespawnDelay respawnDelay = new RespawnDelay();
    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private @Nullable EngineLife life;
    /** An engine that has ended before it was one, and nobody knows why yet. */
    private @Nullable Engine unexplained;

    private boolean waiting;
    private boolean drafting;
    private boolean restarting;
    private boolean closing;

    EngineSlot(
            EnginePool.Surroundings around,
            Siblings siblings,
            Supplier<String> engineIds,
            Share share,
            List<Integer> gpus) {
        this.around = around;
        this.siblings = siblings;
        this.engineIds = engineIds;
        this.share = share;
        this.gpus = gpus;
        this.ladder = new StartLadder(share.recipe());
    }

    Optional<EngineLife> life() {
        return Optional.ofNullable(life);
    }

    boolean has(Engine engine) {
        return life != null && life.engine() == engine;
    }

    /** Whether its engine takes work, or never will again because the slot is closed. */
    boolean isSettled() {
        return closing || life != null && life.engine().state() instanceof EngineState.Ready;
    }

    /** Whether its engine was asked to draft. */
    boolean isDrafting() {
        return drafting;
    }

    /** Whether its engine drafts, so that a start without speculation would change it. */
    boolean drafts() {
        EngineProcess process = life == null ? null : life.engine().process();
        return drafting && process != null && !process.adopted();
    }

    /** Starts an engine, now or when the run's phase allows it. */
    void launch() {
        waiting = !closing && !around.phases().launches();
        if (closing || waiting) {
            return;
        }
        unexplained = null;
        List<String> args =
                siblings.draftsLose().isPresent() ? EngineArguments.withoutSpeculation(ladder.args()) : ladder.args();
        drafting = EngineArguments.haveSpeculation(args);
        Share now = share.withRecipe(share.recipe().withArgs(args));
        Engine engine = new Engine(
                engineIds.get(),
                0,
                share.recipe().maxRunningRequests(),
                EngineArguments.dataParallelRanks(args),
                share.recipe().pauseMode(),
                around.core()::now);
        var start = new EngineStart(new WeightSource(0, share.recipe().modelPath()), share.node(), args);
        EngineLife next = new EngineLife(around, siblings, engine, start, this::ended);
        life = next;
        around.core()
                .background(
                        "launch-" + engine.id(),
                        () -> around.launcher().launch(engine.id(), now, gpus),
                        next::launched);
    }

    /** The start that waited for another phase is made, if that has come. */
    void launchWaiting() {
        if (waiting) {
            launch();
        }
    }

    private void ended(Engine engine, Optional<StartFailure> failure) {
        if (closing) {
            closed.complete(null);
            return;
        }
        unexplained = failure.isEmpty() && engine.firstReady() == null ? engine : null;
        around.core().after(delay(engine, failure), this::launch);
    }

    /** A process of its engine was started on another instance. */
    void nodeStarted(int node) {
        life().ifPresent(head -> head.otherNodes().started(node));
    }

    /** A process of its engine ended on another instance, perhaps before the one here did. */
    void nodeStopped(String why) {
        Engine dead = unexplained;
        life().ifPresent(head -> {
            head.otherNodes().ended(head.engine(), why);
            head.unhealthy(why);
        });
        StartFailure.of(List.of(why))
                .filter(failure -> dead != null && failure.kind() == StartFailure.Kind.OUT_OF_MEMORY)
                .ifPresent(failure -> {
                    unexplained = null;
                    fallsBack(dead, failure);
                });
    }

    private Duration delay(Engine engine, Optional<StartFailure> failure) {
        if (restarting) {
            restarting = false;
            return Duration.ZERO;
        }
        boolean givesUp = failure.filter(why -> why.kind() == StartFailure.Kind.OUT_OF_MEMORY)
                .filter(why -> !fallsBack(engine, why))
                .isPresent();
        Duration usual = respawnDelay.next(engine.replies() > 0);
        return givesUp ? RespawnDelay.GIVEN_UP : usual;
    }

    private boolean fallsBack(Engine engine, StartFailure why) {
        Optional<Fallback> next = ladder.next();
        String reason = next.isPresent()
                ? why.reason()
                : "%s; all %d fallbacks of the plan were tried, so it is tried again only every %d s; plan it smaller (%s)"
                        .formatted(
                                why.reason(),
                                ladder.rungs(),
                                RespawnDelay.GIVEN_UP.toSeconds(),
                                "rollout.layout: lower memFractionStatic or maxRunningRequests, or more GPUs an engine");
        around.reports().fellBack(engine, next.map(Fallback::because).orElse(null), reason, ladder);
        return next.isPresent();
    }

    /** Drafts do not pay: the engine is ended in order and started without speculation. */
    void restartWithoutDrafts(String reason) {
        EngineLife current = life;
        if (closing || current == null || !(current.engine().state() instanceof EngineState.Ready)) {
            return;
        }
        restarting = true;
        around.reports().fellBack(current.engine(), "no speculative decoding", reason, ladder);
        current.drain(reason);
    }

    /** Ends the engine in order and starts no other. */
    CompletableFuture<Void> close(String reason) {
        if (closing) {
            return closed;
        }
        closing = true;
        EngineLife current = life;
        if (current == null || current.engine().state() instanceof EngineState.Dead) {
            closed.complete(null);
        } else if (!(current.engine().state() instanceof EngineState.Draining)) {
            current.drain(reason);
        }
        return closed;
    }
}
