package dev.sluice.rollout.engine;

import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.assignment.Share.Node;
import dev.sluice.rollout.weights.WeightSource;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Optional;
import java.util.SequencedMap;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/**
 * A place for one node of an engine whose node 0 another instance starts: joins each engine that it starts, with the same
 * arguments, and ends with it. When the process here ends first, that instance hears of it, ends its own, and starts the
 * next engine. Used on the core's thread.
 */
final class FollowingSlot {
    /** What node 0 has to end the engine in order before this node does, which it could not survive. */
    static final Duration HEAD_START = Duration.ofSeconds(8);

    private final EnginePool.Surroundings around;
    private final Siblings siblings;
    private final Share share;
    private final Node node;
    /** Engines that node 0 has started and that have not ended. Engines have no common order, but an id is never used twice. */
    private final SequencedMap<String, EngineStarted> alive = new LinkedHashMap<>();

    private final CompletableFuture<Void> closed = new CompletableFuture<>();
    private @Nullable EngineLife life;
    private boolean closing;

    FollowingSlot(EnginePool.Surroundings around, Siblings siblings, Share share, Node node) {
        this.around = around;
        this.siblings = siblings;
        this.share = share;
        this.node = node;
    }

    Optional<EngineLife> life() {
        return Optional.ofNullable(life);
    }

    /** Another instance has started a process of this run. */
    void started(EngineStarted event) {
        boolean meant = event.meeting() != null
                && event.instanceId().equals(node.head())
                && event.meeting().formed() == node.formed();
        if (meant) {
            alive.put(event.engineId(), event);
            next();
        }
    }

    /** A process of an engine ended on another instance. */
    void stopped(String engineId, String why) {
        alive.remove(engineId);
        life().filter(here -> here.engine().id().equals(engineId)).ifPresent(here -> here.end(why));
    }

    private void next() {
        if (life != null || alive.isEmpty() || closing) {
            return;
        }
        EngineStarted head = alive.lastEntry().getValue();
        List<String> args = head.meeting().args();
        Share now = share.withRecipe(share.recipe().withArgs(args))
                .withNode(node.meetingAt(head.meeting().address()));
        Engine engine = new Engine(
                head.engineId(),
                node.rank(),
                share.recipe().maxRunningRequests(),
                1,
                share.recipe().pauseMode(),
                around.core()::now);
        var start = new EngineStart(new WeightSource(0, share.recipe().modelPath()), node, args);
        EngineLife joining = new EngineLife(around, siblings, engine, start, this::ended);
        life = joining;
        around.core()
                .background(
                        "launch-" + engine.id(),
                        () -> around.launcher().launch(engine.id(), now, share.gpus()),
                        joining::launched);
    }

    private void ended(Engine engine, Optional<StartFailure> failure) {
        alive.remove(engine.id()); // an engine that lost a node is not joined again
        life = null;
        if (closing) {
            closed.complete(null);
        } else {
            next();
        }
    }

    /** Ends the process, once node 0 has ended the engine or had the time to. */
    CompletableFuture<Void> close(String reason) {
        if (closing) {
            return closed;
        }
        closing = true;
        if (life == null) {
            closed.complete(null);
        } else {
            around.core().after(HEAD_START, () -> life().ifPresent(here -> here.end(reason)));
        }
        return closed;
    }
}
