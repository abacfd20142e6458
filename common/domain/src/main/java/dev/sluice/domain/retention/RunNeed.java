package dev.sluice.domain.retention;

import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What one run may still read of the log of results. */
final class RunNeed {
    private final String runId;
    /** Offsets in the log of results by the directories of the cuts that are kept. */
    private final Map<String, Long> offsetsByCut = new HashMap<>();

    private long highestOffset;
    private boolean begun;
    private @Nullable Instant endedAt;

    RunNeed(String runId) {
        this.runId = runId;
    }

    String runId() {
        return runId;
    }

    void begin() {
        begun = true;
    }

    void end(Instant at) {
        endedAt = at;
    }

    void save(CheckpointSaved saved) {
        offsetsByCut.put(saved.directory(), saved.groupsOffset());
        highestOffset = Math.max(highestOffset, saved.groupsOffset());
    }

    void retire(CheckpointRetired retired) {
        offsetsByCut.remove(retired.directory());
    }

    boolean isNeeded(Instant now, Duration keepFinished) {
        return begun && (endedAt == null || Duration.between(endedAt, now).compareTo(keepFinished) < 0);
    }

    /** Where a resume from the oldest kept cut begins to read; 0, the beginning, without a cut. */
    long firstOffset() {
        return offsetsByCut.isEmpty() ? 0 : Collections.min(offsetsByCut.values());
    }

    /** The highest offset that any of its cuts has named, retired ones included. */
    long highestOffset() {
        return highestOffset;
    }
}
