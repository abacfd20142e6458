package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /export}: write the policy's weights in the Hugging Face format.
 *
 * @param dir directory to create; it must not exist
 * @param version weight version that the files are
 * @param base version that a delta starts from; only for {@code hf-delta}
 * @param dtype {@code float32}, or {@code bfloat16} (config.json's type; router biases stay float32)
 */
public record ExportRequest(
        int epoch,
        String operationId,
        String dir,
        Format format,
        int version,
        @Nullable Integer base,
        String dtype) implements WorkerCall {
    public ExportRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("dir", dir);
        WorkerCall.require("format", format);
        dtype = dtype == null ? "float32" : dtype;
    }

    /** How weights are written. */
    public enum Format {
        /** All tensors, in shards. */
        @JsonProperty("hf")
        HF,
        /** Changed bytes since {@code base}. */
        @JsonProperty("hf-delta")
        HF_DELTA
    }
}
