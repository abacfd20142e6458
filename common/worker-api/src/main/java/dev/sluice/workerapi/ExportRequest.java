package dev.sluice.workerapi;

/**
 * {@code POST /export}: write the policy's weights in the Hugging Face format, all of them; the trainer makes deltas.
 *
 * @param dir directory to create; it must not exist
 * @param version weight version that the files are
 * @param dtype {@code float32}, or {@code bfloat16} (config.json's type; router biases stay float32)
 */
public record ExportRequest(int epoch, String operationId, String dir, int version, String dtype)
        implements WorkerCall {
    public ExportRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("dir", dir);
        dtype = dtype == null ? "float32" : dtype;
    }
}
