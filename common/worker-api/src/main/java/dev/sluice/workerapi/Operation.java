package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A call's work: the answer to every POST (status 202 while it runs, else 200) and to {@code GET /operations/{id}}.
 *
 * @param progress from 0 to 1
 * @param result the call's result record, once done
 * @param error why it failed, once failed
 * @param ranks where each rank is, while it runs in a worker of several processes; absent otherwise
 */
public record Operation(
        String operationId,
        State state,
        double progress,
        @Nullable JsonNode result,
        @Nullable WorkerError error,

        @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable List<RankProgress> ranks) {
    public Operation {
        ranks = ranks == null ? null : List.copyOf(ranks);
    }

    /** Of a worker that is one process. */
    public Operation(
            String operationId, State state, double progress, @Nullable JsonNode result, @Nullable WorkerError error) {
        this(operationId, state, progress, result, error, null);
    }

    /** Where an operation is. */
    public enum State {
        @JsonProperty("running")
        RUNNING,
        @JsonProperty("done")
        DONE,
        @JsonProperty("failed")
        FAILED
    }

    /** How far it is, for a person: which rank has been longest where it is, and for how long. */
    public String situation() {
        String done = Math.round(100 * progress) + " %";
        return ranks == null || ranks.isEmpty() ? done : done + ": " + RankProgress.describe(ranks);
    }
}
