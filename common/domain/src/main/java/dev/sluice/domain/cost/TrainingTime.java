package dev.sluice.domain.cost;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.domain.memory.PipelineStages;
import dev.sluice.domain.memory.StageMemory;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;

/**
 * Seconds that training takes of a step.
 *
 * @param compute matrix products, at the slowest stage's pace, bubbles included
 * @param communication between GPUs, as far as nothing hides it
 * @param optimizer Adam's update, on the host where it is offloaded
 */
public record TrainingTime(double compute, double communication, double optimizer) {
    private static final double DENSE_EFFICIENCY = 0.55;
    private static final double EXPERT_EFFICIENCY = 0.38;
    /** Rows of a matrix product at which half of the efficiency is lost. */
    private static final double DENSE_ROWS = 512;

    private static final double EXPERT_ROWS = 128;
    /** Columns of a slice at which half of the efficiency is lost. */
    private static final double SLICE_COLUMNS = 256;

    private static final double RAGGED_STAGE = 0.02;
    private static final double LAUNCH_SECONDS = 100e-6;
    private static final double RING_EXPOSED = 0.3;
    private static final double HOST_BYTES_PER_SECOND = 300e9;
    private static final double PCIE_BYTES_PER_SECOND = 45e9;
    private static final double ADAM_HOST_BYTES = 28;
    private static final double ADAM_LINK_BYTES = 6;

    public static TrainingTime of(Candidate candidate, TrainingMemory memory) {
        return new Step(candidate, memory).time();
    }

    public double seconds() {
        return compute + communication + optimizer;
    }

    /** What the parts of a step's time are computed from. */
    private static final class Step {
        private final Candidate candidate;
        private final ModelSpec model;
        private final Cluster cluster;
        private final Layout layout;
        private final TrainingMemory memory;
        private final Links links;
        private final Flops flops;
        /** Tokens of a step. */
        private final double tokens;
        /** Forward passes that the whole work of a token is worth. */
        private final double passes;
        /** Micro-batches of a data-parallel rank in one optimizer step. */
        private final double microBatches;

        private Step(Candidate candidate, TrainingMemory memory) {
            this.candidate = candidate;
            this.memory = memory;
            model = candidate.model();
            cluster = candidate.cluster();
            layout = candidate.training().layout();
            links = Links.of(cluster);
            Workload workload = candidate.workload();
            double sample = SampleTokens.mean(workload);
            flops = Flops.of(model, sample);
            tokens = workload.samplesPerStep() * sample;
            boolean recomputed = candidate.training().recompute() == Recompute.FULL;
            passes = (recomputed ? 4 : 3) + (workload.oldLogprobPass() ? 1 : 0) + workload.frozenModels();
            double share = tokens / optimizerSteps() / (layout.dp(cluster.trainGpus()) * layout.cp());
            microBatches = Math.max(1, Math.ceil(share / microBatchTokens()));
        }

        private double microBatchTokens() {
            return Math.max(1, TrainingMemory.plannedTokens(candidate));
        }

        private double optimizerSteps() {
            return Math.max(1, candidate.workload().optimizerStepsPerStep());
        }

        private TrainingTime time() {
            return new TrainingTime(compute(), communication(), optimizer());
        }

        private double compute() {
            Gpu gpu = cluster.gpu();
            double rows = microBatchTokens();
            double dense = flops.allDense()
                    / DENSE_EFFICIENCY
                    * (1 + DENSE_ROWS / rows)
                    * (1 + SLICE_COLUMNS * (layout.tp() - 1) / model.hiddenSize());
            double compute = tokens * passes * (dense + routed()) / (cluster.trainGpus() * gpu.bf16Teraflops() * 1e12);
            double bubble = 1 + (layout.pp() - 1) / microBatches;
            double ragged = 1 + RAGGED_STAGE * (layout.pp() - 1);
            double launches = microBatches * optimizerSteps() * passes * LAUNCH_SECONDS * model.layers() / layout.pp();
            return compute * slowestStage() * bubble * ragged + launches;
        }

        private double routed() {
            Experts experts = model.experts();
            if (experts == null) {
                return 0;
            }
            double rows = localTokens() * layout.etp() * layout.ep() * experts.perToken() / experts.count();
            double slice = 1 + SLICE_COLUMNS * (layout.etp() - 1) / experts.size();
            return flops.allExperts() / EXPERT_EFFICIENCY * (1 + EXPERT_ROWS / Math.max(1, rows)) * slice;
        }

        /** Tokens of a micro-batch on one rank between tensor-parallel regions. */
        private double localTokens() {
            TrainingSide training = candidate.training();
            return microBatchTokens() / (training.sequenceParallel() ? layout.tp() : 1);
        }

        /** The slowest stage's work over the mean; the last one has the output layer too. */
        private double slowestStage() {
            int[] split = PipelineStages.of(model.layers(), layout).orElseThrow();
            double most = 0;
            double all = 0;
            int first = 0;
            for (int stage = 0; stage < split.length; stage++) {
                double work =
                        flops.between(first, first + split[stage]) + (stage == split.length - 1 ? flops.head() : 0);
                most = Math.max(most, work);
                all += work;
                first += split[stage];
            }
            return most * split.length / all;
        }

        private double communication() {
            double perMicroBatch = (tensorParallel() + contextParallel() + expertParallel()) * passes;
            return perMicroBatch * microBatches * optimizerSteps() + dataParallel() * optimizerSteps();
        }

        /** Four collectives a layer and pass. */
        private double tensorParallel() {
            int tp = layout.tp();
            double bytes = microBatchTokens() * model.hiddenSize() * 2 * (tp - 1) / tp;
            return 4 * bytes * model.layers() / layout.pp() / links.of(tp);
        }

        /** Keys and values travel around the ring while scores are computed. */
        private double contextParallel() {
            int cp = layout.cp();
            double width = switch (model.attention()) {
                case LatentAttention latent ->
                    (double) latent.heads()
                            * (latent.plainHeadSize() + latent.rotaryHeadSize() + latent.valueHeadSize());
                case GroupedQueryAttention grouped -> 2.0 * grouped.groups() * grouped.headSize();
            };
            double bytes = microBatchTokens() * width / layout.tp() * 2 * (cp - 1);
            return RING_EXPOSED * bytes * model.layers() / layout.pp() / links.of(layout.tp() * cp);
        }

        /** A token goes once to each remote node that one of its experts is on, and from there to the GPUs. */
        private double expertParallel() {
            Experts experts = model.experts();
            int span = layout.ep() * layout.etp();
            if (experts == null || span == 1) {
                return 0;
            }
            int withinNode = Math.min(span, cluster.gpusPerNode());
            double nodes = Math.ceil((double) span / cluster.gpusPerNode());
            double near = experts.perToken() * (1 - 1.0 / withinNode);
            double far = (nodes - 1) * (1 - Math.pow(1 - 1 / nodes, experts.perToken()));
            double bytes = localTokens() * model.hiddenSize() * 2;
            double exchange = Math.max(bytes * near / links.withinNode(), bytes * far / links.betweenNodes());
            double layers = (double) model.sparseLayers() / layout.pp();
            return 2 * exchange * layers;
        }

        /** Float32 gradients are reduced and bf16 weights gathered, once an optimizer step. */
        private double dataParallel() {
            StageMemory fullest = memory.fullest();
            int gpus = cluster.trainGpus();
            int denseRanks = layout.dp(gpus) * layout.cp();
            int expertRanks = layout.edp(gpus);
            double dense = fullest.denseParameters() * 6 * (denseRanks - 1) / denseRanks;
            double experts = fullest.expertParameters() * 6 * (expertRanks - 1) / expertRanks;
            return dense / links.of(denseRanks * layout.tp())
                    + experts / links.of(expertRanks * layout.ep() * layout.etp());
        }

        private double optimizer() {
            double offloaded = candidate.training().optimizer().offloadFraction();
            double parameters = memory.stages().stream()
                    .mapToDouble(stage -> shard(stage))
                    .max()
                    .orElseThrow();
            int gpusPerNode = cluster.trainGpusPerNode();
            double host = offloaded
                    * (parameters * gpusPerNode * ADAM_HOST_BYTES / HOST_BYTES_PER_SECOND
                            + parameters * ADAM_LINK_BYTES / PCIE_BYTES_PER_SECOND);
            double device = (1 - offloaded)
                    * parameters
                    * ADAM_HOST_BYTES
                    / (cluster.gpu().memoryTerabytesPerSecond() * 1e12);
            return (host + device) * optimizerSteps();
        }

        /** Parameters whose Adam state one rank of this stage keeps. */
        private double shard(StageMemory stage) {
            int gpus = cluster.trainGpus();
            return stage.denseParameters() / (layout.dp(gpus) * layout.cp())
                    + stage.expertParameters() / layout.edp(gpus);
        }
    }
}
