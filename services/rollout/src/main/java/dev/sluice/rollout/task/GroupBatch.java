package dev.sluice.rollout.task;

import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.sampling.GroupSampler.Growing;
import dev.sluice.rollout.sampling.GroupSampler.SamplingCall;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.IntSupplier;

/** Samples of one group that run on one engine in one call. */
final class GroupBatch {
    final Engine engine;
    final List<Integer> indexes;
    final SamplingCall call;
    final Instant dispatched;
    /** No other call brought samples of its group here before. */
    final boolean first;
    /** Nobody waits for it any more: its engine is gone, or its group is. */
    boolean forgotten;

    private GroupBatch(Engine engine, SamplingCall call, Instant dispatched, boolean first) {
        this.engine = engine;
        this.indexes = List.copyOf(call.begun().keySet());
        this.call = call;
        this.dispatched = dispatched;
        this.first = first;
    }

    /** Gives samples to an engine. */
    static GroupBatch begin(GroupWork work, Engine engine, List<Integer> indexes, Instant now) {
        Home home = work.home(indexes);
        boolean atHome = home != null && home.engineId().equals(engine.id());
        Engine.Seat seat = engine.dispatched(indexes.size(), atHome ? home.rank() : null);
        PauseMode pause = engine.pauseMode();
        boolean streams = Rollout.streams(pause, work.task().partialRollout());
        IntSupplier newest = () -> pause.goesOn() ? Math.max(seat.version(), engine.newestVersion()) : seat.version();
        boolean first = work.untouched();
        GroupBatch batch = new GroupBatch(
                engine,
                new SamplingCall(
                        work.task(),
                        work.beginnings(indexes, seat.version()),
                        work.nextRidPrefix(),
                        engine.id(),
                        seat,
                        streams ? new Growing(indexes.size(), newest) : null,
                        Duration.between(now, work.task().deadline()).plus(GroupQueue.ABORT_WAIT)),
                now,
                first);
        work.running().add(batch);
        return batch;
    }

    /** Where these samples are in a cache. */
    Home home() {
        return new Home(engine.id(), call.seat().rank());
    }

    /** Tells the engine to end them; what it had generated comes with their replies. */
    void abort(Core core) {
        core.background(
                "abort-" + call.ridPrefix(),
                () -> {
                    engine.api().abort(call.ridPrefix());
                    return null;
                },
                (done, failure) -> {});
    }

    /** The engine has them no more. */
    void giveBack() {
        engine.returned(indexes.size(), call.seat().rank());
    }
}
