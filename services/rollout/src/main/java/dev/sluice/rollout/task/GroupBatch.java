package dev.sluice.rollout.task;

import dev.sluice.rollout.engine.Engine;
import java.util.List;

/** Samples of one group that run on one engine in one call. */
final class GroupBatch {
    final Engine engine;
    final List<Integer> indexes;
    final String ridPrefix;
    /** Nobody waits for it any more: its engine is gone, or its group is. */
    boolean forgotten;

    GroupBatch(Engine engine, List<Integer> indexes, String ridPrefix) {
        this.engine = engine;
        this.indexes = indexes;
        this.ridPrefix = ridPrefix;
    }
}
