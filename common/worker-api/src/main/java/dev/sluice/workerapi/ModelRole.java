package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;

/** Which of a worker's models a call means. */
public enum ModelRole {
    @JsonProperty("policy")
    POLICY,
    @JsonProperty("reference")
    REFERENCE,
    @JsonProperty("teacher")
    TEACHER,
    @JsonProperty("critic")
    CRITIC
}
