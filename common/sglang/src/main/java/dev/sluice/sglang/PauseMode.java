package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What {@code /pause_generation} does with requests that run. */
public enum PauseMode {
    /** They end with what they have; the call returns when none is left. */
    @JsonProperty("abort")
    ABORT,
    /** They lose their cache and are computed again after the pause. */
    @JsonProperty("retract")
    RETRACT,
    /** They stand still and keep their cache; the cache cannot be flushed. */
    @JsonProperty("in_place")
    IN_PLACE
}
