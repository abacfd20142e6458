package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Set;

/**
 * {@code POST /forward}: values by token of a batch, without training.
 *
 * @param batch path of the batch file
 * @param out path of a safetensors file to create, with one f32[T] tensor for each thing wanted
 */
public record ForwardRequest(int epoch, String operationId, String batch, ModelRole model, Set<Want> want, String out)
        implements WorkerCall {
    public ForwardRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("batch", batch);
        WorkerCall.require("model", model);
        WorkerCall.require("want", want);
        WorkerCall.require("out", out);
        want = Set.copyOf(want);
    }

    /** A column of the answer; entry t belongs to token t, and tokens that nothing precedes get 0. */
    public enum Want {
        /** Log-probability of each token given those before it, at the batch's temperature. */
        @JsonProperty("logprobs")
        LOGPROBS,
        /** Entropy in nats of the distribution that each token was drawn from. */
        @JsonProperty("entropy")
        ENTROPY,
        /** A critic's value. */
        @JsonProperty("values")
        VALUES
    }
}
