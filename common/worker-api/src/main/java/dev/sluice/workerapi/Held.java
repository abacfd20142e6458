package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What a worker holds in the memory of its GPUs between two calls. */
public enum Held {
    @JsonProperty("weights")
    WEIGHTS,
    @JsonProperty("optimizer")
    OPTIMIZER,
    @JsonProperty("gradients")
    GRADIENTS
}
