package dev.sluice.domain.slime;

import dev.sluice.domain.slime.Finding.Kind;
import java.util.List;

/** Layout, memory and checkpoints of training: {@code training.layout}, {@code weights}, {@code checkpoints}. */
record TrainingFlags(Draft draft) {
    private static final String ETP = "--expert-tensor-parallel-size";
    private static final String DYNAMIC = "--use-dynamic-batch-size";
    private static final String TOKENS = "--max-tokens-per-gpu";
    private static final String GRANULARITY = "--recompute-granularity";
    private static final String METHOD = "--recompute-method";
    private static final String LAYERS = "--recompute-num-layers";
    private static final String DISPATCHER = "--moe-token-dispatcher-type";
    private static final String TRANSPORT = "--update-weight-transport";
    private static final String MODE = "--update-weight-mode";
    private static final String SAVE = "--save-interval";

    void read() {
        // Megatron takes TP where a script does not say.
        draft.put("training.layout.etp", draft.whole(ETP, draft.whole("--tensor-model-parallel-size", 1)));
        tokens();
        recompute();
        boolean offload = draft.has("--optimizer-cpu-offload");
        draft.put("training.layout.cpuAdam", offload ? draft.number("--optimizer-offload-fraction", 1.0) : 0.0);
        dispatcher();
        draft.put("weights.transport", transport());
        checkpoints();
    }

    /** What slime takes without the flag, tensor where colocated and nccl elsewhere, is the planner's own choice. */
    private String transport() {
        boolean disk = choice(TRANSPORT, "nccl", List.of("nccl", "disk")).equals("disk");
        boolean delta = choice(MODE, "full", List.of("full", "delta")).equals("delta");
        return !disk ? "auto" : delta ? "disk_delta" : "disk";
    }

    private void tokens() {
        if (draft.has(DYNAMIC)) {
            draft.whole(TOKENS).ifPresent(tokens -> draft.put("training.layout.tokensPerGpu", tokens));
        } else {
            draft.put("training.batching.microBatchSize", draft.whole("--micro-batch-size", 1));
            if (draft.has(TOKENS)) {
                draft.findings()
                        .note(
                                draft.place(TOKENS),
                                TOKENS,
                                "it has no effect without %s, as in slime".formatted(DYNAMIC),
                                "add " + DYNAMIC);
            }
        }
        draft.put("training.batching.balanceData", draft.has("--balance-data"));
        draft.put("training.batching.balanceByFlops", draft.has("--balance-by-flops"));
    }

    private void recompute() {
        String standard = draft.has("--recompute-activations") ? "selective" : "none";
        String granularity = choice(GRANULARITY, standard, List.of("none", "full", "selective"));
        draft.put("training.layout.recompute", granularity);
        if (granularity.equals("full")) {
            // uniform, one layer at a time, is what full means to the planner
            further(METHOD, "uniform");
            further(LAYERS, "1");
        }
    }

    private void further(String flag, String usual) {
        draft.flags().stream()
                .filter(given -> given.name().equals(flag) && given.decided())
                .filter(given -> !KnownFlag.same(given.text(), usual))
                .forEach(given -> draft.putFlag("training.megatron", flag.substring(2), given));
    }

    private void dispatcher() {
        if (!draft.has(DISPATCHER)) {
            return;
        }
        String dispatcher = choice(DISPATCHER, "alltoall", List.of("alltoall", "flex", "allgather"));
        if (dispatcher.equals("allgather")) {
            draft.findings()
                    .note(
                            draft.place(DISPATCHER),
                            DISPATCHER,
                            "samples differ in length, so tokens travel by alltoall; slime changes it too",
                            "set it to alltoall");
        }
        draft.put("training.layout.dispatcher", dispatcher.equals("flex") ? "flex" : "alltoall");
    }

    private void checkpoints() {
        if (draft.has(SAVE)) {
            draft.whole(SAVE).ifPresent(steps -> draft.put("checkpoints.everySteps", steps));
        } else {
            draft.findings()
                    .note(
                            draft.place(SAVE),
                            SAVE,
                            "the script saves nothing; a run is saved every 20 steps all the same",
                            "set checkpoints.everySteps in the request to save less often");
        }
    }

    private String choice(String flag, String standard, List<String> choices) {
        String value = draft.text(flag).orElse(standard);
        if (choices.contains(value)) {
            return value;
        }
        draft.findings()
                .error(
                        Kind.VALUE,
                        draft.place(flag),
                        flag,
                        "\"%s\" is none of its values".formatted(FlagReader.shortened(value)),
                        "give one of " + String.join(", ", choices));
        return standard;
    }
}
