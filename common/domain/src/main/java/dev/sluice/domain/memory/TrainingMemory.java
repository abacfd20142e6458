package dev.sluice.domain.memory;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.Parameters.Split;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * What Megatron needs on each GPU, by pipeline stage. Weights are bf16, gradients float32 ({@code
 * --accumulate-allreduce-grads-in-fp32}); neither is sharded by the distributed optimizer, Adam's state is.
 *
 * <p>Measured on one H100 with a rank's share of GLM-4.7-Flash on 8 GPUs, planned at 48.8 GiB: tensors of 37.4 GiB at their peak,
 * 13.1 more that torch's allocator kept for the next ones, and 2.5 of CUDA and libraries, 53.0 GiB on the device. What is kept
 * is given back before an allocation fails, so that it is no need; the device's figure fits the share that a plan leaves.
 *
 * @param stages first to last
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/blob/main/docs/user-guide/features/dist_optimizer.md">Megatron's
 *     distributed optimizer, bytes a parameter</a>
 * @see <a href="https://arxiv.org/abs/2205.05198">Korthikanti et al., activations of a transformer layer</a>
 */
public record TrainingMemory(List<StageMemory> stages) {
    /** Share of a GPU's usable memory that a plan may fill; what the model does not know of must fit the rest. */
    public static final double USABLE_SHARE = 0.94;

    private static final double WEIGHT_BYTES = 2;
    private static final double GRADIENT_BYTES = 4;
    private static final double FIXED_BYTES = 4 * StageMemory.GIB;
    private static final double TEMPERATURE_ONE = 1.0;

    /** @throws IllegalArgumentException if the pipeline split is none (rules M08, M09) */
    public static TrainingMemory of(Candidate candidate) {
        return of(candidate, LayerSums.of(candidate.model()));
    }

    /** As {@link #of(Candidate)}, with sums that a search computes once. */
    public static TrainingMemory of(Candidate candidate, LayerSums sums) {
        Layout layout = candidate.training().layout();
        Optional<int[]> split = PipelineStages.of(candidate.model().layers(), layout);
        if (split.isEmpty()) {
            throw new IllegalArgumentException("%d layers are not split over %d stages"
                    .formatted(candidate.model().layers(), layout.pp()));
        }
        List<StageMemory> stages = new ArrayList<>(layout.pp());
        int first = 0;
        for (int stage = 0; stage < layout.pp(); stage++) {
            int end = first + split.get()[stage];
            stages.add(stage(candidate, sums, stage, first, end));
            first = end;
        }
        return new TrainingMemory(List.copyOf(stages));
    }

    public StageMemory fullest() {
        return stages.stream()
                .max(Comparator.comparingDouble(StageMemory::total))
                .orElseThrow();
    }

    /** The most parameters that a GPU holds. */
    public double mostParameters() {
        return stages.stream().mapToDouble(StageMemory::parameters).max().orElseThrow();
    }

    /** GiB on the fullest GPU. */
    public double gib() {
        return fullest().gib();
    }

    /** GiB that a plan may use of this candidate's GPUs. */
    public static double limitGiB(Candidate candidate) {
        return USABLE_SHARE * candidate.cluster().gpu().usableGiB();
    }

    /**
     * Tokens that memory is planned for: a micro-batch's, or a sample that is longer and runs alone.
     *
     * @see <a href="https://github.com/THUDM/slime/blob/main/slime/utils/dp_schedule.py">slime's dp_schedule</a>
     */
    public static int plannedTokens(Candidate candidate) {
        int longest = Math.ceilDiv(
                candidate.workload().longestSampleTokens(),
                candidate.training().layout().cp());
        return Math.max(candidate.training().tokensPerGpu(), longest);
    }

    private static StageMemory stage(Candidate candidate, LayerSums sums, int stage, int first, int end) {
        TrainingSide training = candidate.training();
        Layout layout = training.layout();
        Split split = parameters(candidate, sums, stage, first, end);
        double dense = (double) split.sharded() / layout.tp() + split.replicated();
        double experts = (double) split.experts() / (layout.ep() * layout.etp());
        double parameters = dense + experts;
        int gpus = candidate.cluster().trainGpus();
        double state = stateBytes(training);
        ActivationMemory activations = new ActivationMemory(candidate);
        boolean last = stage == layout.pp() - 1;
        int inFlight = layout.pp() - stage;
        boolean full = training.recompute() == Recompute.FULL;
        // Selective recomputation drops scores, which flash attention does not keep anyway.
        double kept = full ? (end - first) * activations.checkpoint() : activations.kept(first, end);
        return new StageMemory(
                end - first,
                dense,
                experts,
                WEIGHT_BYTES * parameters,
                GRADIENT_BYTES * parameters,
                state * (dense / (layout.dp(gpus) * layout.cp()) + experts / layout.edp(gpus)),
                inFlight * kept,
                full ? activations.workingSet(first, end) : 0,
                last ? activations.logits(candidate.workload().temperature() == TEMPERATURE_ONE) : 0,
                FIXED_BYTES);
    }

    /** The last stage holds the final norm, the output layer and, where trained, the MTP layer. */
    private static Split parameters(Candidate candidate, LayerSums sums, int stage, int first, int end) {
        ModelSpec model = candidate.model();
        int stages = candidate.training().layout().pp();
        Split split = sums.between(first, end);
        if (stage == 0) {
            split = split.plus(new Split(sums.embedding(), 0, 0));
        }
        if (stage == stages - 1) {
            boolean outputOfItsOwn = !model.tiedEmbeddings() || stages > 1;
            split = split.plus(new Split(outputOfItsOwn ? sums.embedding() : 0, model.hiddenSize(), 0));
            if (candidate.training().mtpTrained()) {
                split = split.plus(sums.mtpLayer()).plus(new Split(stages > 1 ? sums.embedding() : 0, 0, 0));
            }
        }
        return split;
    }

    /**
     * Bytes of Adam's state a parameter that stay on the GPU: master weight and both moments, 12 in float32; 10 where
     * the precision-aware optimizer keeps 16 bits of the master weight; 6 with both moments in bf16.
     */
    private static double stateBytes(TrainingSide training) {
        Optimizer optimizer = training.optimizer();
        boolean halfMoments = training.flags().text("--exp-avg-dtype", "fp32").equals("bf16")
                && training.flags().text("--exp-avg-sq-dtype", "fp32").equals("bf16");
        double bytes = optimizer.precisionAware() ? halfMoments ? 6 : 10 : 12;
        return (1 - optimizer.offloadFraction()) * bytes;
    }
}
