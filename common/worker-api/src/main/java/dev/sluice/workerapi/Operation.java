package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/**
 * A call's work: the answer to every POST (status 202 while it runs, else 200) and to {@code GET /operations/{id}}.
 *
 * @param progress from 0 to 1
 * @param result the call's result record, once done
 * @param error why it failed, once failed
 */
public record Operation(
        String operationId,
        State state,
        double progress,
        @Nullable JsonNode result,
        @Nullable WorkerError error) {

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
