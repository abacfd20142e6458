package dev.sluice.workerapi;

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
 * @param ranks what each rank is in while it runs, or was in when it failed; absent where the worker does not say
 */
public record Operation(
        String operationId,
        State state,
        double progress,
        @Nullable JsonNode result,
        @Nullable WorkerError error,
        @Nullable List<RankPhase> ranks) {

    public Operation {
        ranks = ranks == null ? null : List.copyOf(ranks);
    }

    /** Of a worker that says nothing of its ranks. */
    public Operation(
            String operationId, State state, double progress, @Nullable JsonNode result, @Nullable WorkerError error) {
        this(operationId, state, progress, result, error, null);
    }

    /**
     * What one rank is in.
     *
     * @param phase for a person, such as {@code train: optimizer step 1, micro-batch 3 of 8}
     * @param seconds since when
     */
    public record RankPhase(int rank, String phase, double seconds) {}

    /** Where an operation is. */
    public enum State {
        @JsonProperty("running")
        RUNNING,
        @JsonProperty("done")
        DONE,
        @JsonProperty("failed")
        FAILED
    }
}
