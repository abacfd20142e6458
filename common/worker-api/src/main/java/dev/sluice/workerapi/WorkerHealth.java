package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * {@code GET /health}: who the worker works for and how far it is. A trainer that comes back compares all of it with its
 * log before it goes on with the worker.
 *
 * @param runId absent until something is loaded
 * @param epoch the highest that a caller has shown; -1 before the first call
 * @param step steps trained into the weights; -1 until something is loaded
 * @param batchSha256 hash of the last batch file trained on since the load; absent where there is none
 * @param weightVersion version of the last export; -1 where there is none
 */
public record WorkerHealth(
        State state,
        @Nullable String runId,
        int epoch,
        int step,
        @Nullable String batchSha256,
        int weightVersion) {

    /** What the worker is doing. */
    public enum State {
        /** No model is loaded. */
        @JsonProperty("empty")
        EMPTY,
        /** A model is loaded, nothing is running. */
        @JsonProperty("ready")
        READY,
        /** An operation is running. */
        @JsonProperty("working")
        WORKING
    }
}
