package dev.sluice.workerapi;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code POST /load}: take up a run's model.
 *
 * @param checkpoint torch_dist directory of the policy's weights (as the converter writes it)
 * @param reference directory of a frozen reference, where the run needs one: torch_dist, or Hugging Face where the worker
 *     reads it
 * @param teacher the same of a frozen teacher
 * @param critic torch_dist directory whose weights a critic begins with, where the run trains one
 * @param hfConfig Hugging Face directory whose config.json says the model's shape and whose tokenizer goes into exports
 * @param args the plan's Megatron arguments; a worker on another backend ignores them
 * @param resumeFrom a cut (what {@code /save} wrote) with optimizer state, instead of {@code checkpoint}'s weights
 * @param tensors file that says which Hugging Face tensor lies where in which Megatron tensor, for a worker that keeps no name
 *     map of its own
 */
public record LoadRequest(
        int epoch,
        String operationId,
        String runId,
        String checkpoint,
        @Nullable String reference,
        @Nullable String teacher,
        @Nullable String critic,
        String hfConfig,
        List<String> args,
        @Nullable String resumeFrom,
        @Nullable String tensors)
        implements WorkerCall {
    public LoadRequest {
        WorkerCall.check(epoch, operationId);
        WorkerCall.require("runId", runId);
        WorkerCall.require("hfConfig", hfConfig);
        if (resumeFrom == null) {
            WorkerCall.require("checkpoint", checkpoint);
        }
        args = args == null ? List.of() : List.copyOf(args);
    }

    /** For a worker with a name map. */
    public LoadRequest(
            int epoch,
            String operationId,
            String runId,
            String checkpoint,
            @Nullable String reference,
            @Nullable String teacher,
            @Nullable String critic,
            String hfConfig,
            List<String> args,
            @Nullable String resumeFrom) {
        this(epoch, operationId, runId, checkpoint, reference, teacher, critic, hfConfig, args, resumeFrom, null);
    }

    /** A policy alone, from a converted checkpoint. */
    public static LoadRequest policy(int epoch, String operationId, String runId, String checkpoint, String hfConfig) {
        return new LoadRequest(epoch, operationId, runId, checkpoint, null, null, null, hfConfig, List.of(), null);
    }

    /** The same, but with weights and optimizer state of a cut. */
    public LoadRequest resumingFrom(String cut) {
        return new LoadRequest(
                epoch, operationId, runId, checkpoint, reference, teacher, critic, hfConfig, args, cut, tensors);
    }
}
