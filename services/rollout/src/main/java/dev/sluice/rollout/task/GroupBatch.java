package dev.sluice.rollout.task;

import dev.sluice.rollout.engine.Engine;
import java.util.List;

/** Samples of one group that run on one engine in one call. */
final class GroupBatch {
    final Engine engine;
    final List<Integer> indexes;
    final String ridPrefix;
    final Engine.Seat seat;
    /** Nobody waits for it any more: its engine is gone, or its group is. */
    boolean forgotten;

    GroupBatch(Engine engine, Engine.Seat seat, List<Integer> indexes, String ridPrefix) {
        this.seat = seat;
        this.engine = engine;
        this.indexes = indexes;
        this.ridPrefix = ridPrefix;
    }

    /** The engine has them no more. */
    void giveBack() {
        engine.returned(indexes.size(), seat.rank());
    }
}
