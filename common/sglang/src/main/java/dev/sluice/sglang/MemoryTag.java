package dev.sluice.sglang;

import com.fasterxml.jackson.annotation.JsonProperty;

/** What of an engine's GPU memory can be given back and taken again, by itself. */
public enum MemoryTag {
    @JsonProperty("weights")
    WEIGHTS,
    @JsonProperty("kv_cache")
    KV_CACHE,
    @JsonProperty("cuda_graph")
    CUDA_GRAPH
}
