package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;

/**
 * Megatron's own arguments for a candidate: nothing but flags of its parser. What a worker needs beside them, such as
 * tokens of a micro-batch or the temperature, it gets through the plan and each batch; paths are given when it loads.
 */
public final class MegatronArguments {
    private static final String RULE = "training.megatron";

    private MegatronArguments() {}

    /**
     * The whole list, further flags last.
     *
     * @param training learning rate and what else the optimizer needs, as the request says them
     */
    public static Flags of(Candidate candidate, TrainingRequest.Training training) {
        return merge(candidate)
                .join(derived(candidate, training), candidate.training().flags());
    }

    /** Further flags that contradict the candidate or that the version does not have, and what it cannot train. */
    public static List<Problem> problems(Candidate candidate, TrainingRequest.Training training) {
        Flags derived = derived(candidate, training);
        Flags further = candidate.training().flags();
        List<Problem> problems = new ArrayList<>();
        for (String name : merge(candidate).contradictions(derived, further)) {
            problems.add(Problem.error(
                    RULE,
                    RULE + "." + name.substring(2),
                    "%s is %s here, and the plan gives it as %s"
                            .formatted(name, said(further, name), said(derived, name)),
                    "remove it"));
        }
        for (String name : MegatronFlags.unknown(further, candidate.installed().megatron())) {
            problems.add(Problem.error(
                    RULE,
                    RULE + "." + name.substring(2),
                    "Megatron-Core %s has no flag %s"
                            .formatted(candidate.installed().megatron(), name),
                    "remove it, or declare the installed version in versions.megatron"));
        }
        problems.addAll(ModelGaps.of(candidate));
        return List.copyOf(problems);
    }

    private static String said(Flags flags, String name) {
        List<String> value = flags.values().getOrDefault(name, List.of());
        return value.isEmpty() ? "on" : String.join(" ", value);
    }

    private static FlagMerge merge(Candidate candidate) {
        return new FlagMerge(MegatronFlags.TABLE, candidate.installed().megatron());
    }

    private static Flags derived(Candidate candidate, TrainingRequest.Training training) {
        FlagWriter list = new FlagWriter();
        TrainingSide side = candidate.training();
        layout(side, list);
        recompute(side, list);
        batch(candidate, training, list);
        optimizer(side.optimizer(), training, list);
        precision(list);
        if (candidate.model().experts() != null) {
            dispatcher(side, list);
        }
        ModelArguments.write(candidate, list);
        if (side.mtpTrained()) {
            mtp(candidate, training, list);
        }
        return list.flags();
    }

    private static void layout(TrainingSide side, FlagWriter list) {
        Layout layout = side.layout();
        list.value("--tensor-model-parallel-size", layout.tp());
        // Without tensor parallelism Megatron refuses it or switches it off, depending on who asks.
        list.flag("--sequence-parallel", side.sequenceParallel() && layout.tp() > 1);
        list.value("--pipeline-model-parallel-size", layout.pp());
        if (layout.pp() > 1 && layout.firstStageLayers() != null) {
            list.value("--decoder-first-pipeline-num-layers", layout.firstStageLayers());
        }
        if (layout.pp() > 1 && layout.lastStageLayers() != null) {
            list.value("--decoder-last-pipeline-num-layers", layout.lastStageLayers());
        }
        list.value("--context-parallel-size", layout.cp());
        list.value("--expert-model-parallel-size", layout.ep());
        list.value("--expert-tensor-parallel-size", layout.etp());
    }

    private static void recompute(TrainingSide side, FlagWriter list) {
        switch (side.recompute()) {
            case NONE -> {}
            case SELECTIVE -> list.value("--recompute-granularity", "selective");
            case FULL -> {
                list.value("--recompute-granularity", "full");
                list.value("--recompute-method", "uniform");
                list.value("--recompute-num-layers", 1);
            }
        }
    }

    /** Batches come packed and each with its own schedule; Megatron's parser asks for sizes all the same. */
    private static void batch(Candidate candidate, TrainingRequest.Training training, FlagWriter list) {
        list.value("--micro-batch-size", 1);
        list.value("--seq-length", sequenceLength(candidate));
        list.positive("--train-iters", (long) training.steps() * training.optimizerStepsPerStep());
    }

    /** The longest sample, in whole pieces for context and sequence parallelism, and within the model's context. */
    private static int sequenceLength(Candidate candidate) {
        Layout layout = candidate.training().layout();
        Workload workload = candidate.workload();
        int context = candidate.model().maxContextTokens();
        int longest = Math.min(Math.max(workload.contextTokens(), 1), context);
        int piece = 2 * layout.cp() * layout.tp();
        int whole = Math.ceilDiv(longest, piece) * piece;
        return whole <= context ? whole : Math.max(piece, context / piece * piece);
    }

    private static void optimizer(Optimizer optimizer, TrainingRequest.Training training, FlagWriter list) {
        list.value("--optimizer", "adam");
        list.value("--lr", training.learningRate());
        list.value("--lr-decay-style", "constant");
        list.value("--weight-decay", training.weightDecay());
        list.value("--adam-beta1", training.beta1());
        list.value("--adam-beta2", training.beta2());
        list.value("--adam-eps", training.epsilon());
        list.value("--clip-grad", training.maxGradNorm());
        list.flag("--use-distributed-optimizer");
        boolean offloaded = optimizer.offloadFraction() > 0;
        if (offloaded) {
            list.flag("--optimizer-cpu-offload");
            list.flag("--overlap-cpu-optimizer-d2h-h2d");
        }
        if (offloaded && optimizer.offloadFraction() < 1) {
            list.value("--optimizer-offload-fraction", optimizer.offloadFraction());
        }
        // CPU Adam is made of the precision-aware one: Megatron refuses the one without the other.
        list.flag("--use-precision-aware-optimizer", optimizer.precisionAware() || offloaded);
    }

    private static void precision(FlagWriter list) {
        list.flag("--bf16");
        // Megatron's default is 0.1: a policy that drops out differs from the one that sampled.
        list.value("--attention-dropout", 0);
        list.value("--hidden-dropout", 0);
        list.flag("--accumulate-allreduce-grads-in-fp32");
        list.flag("--attention-softmax-in-fp32");
        list.value("--attention-backend", "flash");
    }

    private static void dispatcher(TrainingSide side, FlagWriter list) {
        // Batches vary in length, and all-gather dispatches none of those.
        boolean flexible = side.dispatcher() == Dispatcher.FLEX;
        list.value("--moe-token-dispatcher-type", flexible ? "flex" : "alltoall");
        list.flag("--moe-enable-deepep", flexible && side.deepEp());
    }

    private static void mtp(Candidate candidate, TrainingRequest.Training training, FlagWriter list) {
        list.value("--mtp-num-layers", candidate.model().mtpLayers());
        list.value("--mtp-loss-scaling-factor", training.mtp().lossScale());
        // The MTP loss teaches the MTP layer alone; the policy learns from rewards.
        list.flag("--mtp-detach-heads");
    }
}
