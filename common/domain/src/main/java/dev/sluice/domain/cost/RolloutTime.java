package dev.sluice.domain.cost;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.domain.memory.EngineMemory;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.Parameters;

/**
 * Seconds that sampling takes of a step.
 *
 * @param bulk while engines are full
 * @param tail while the last long samples run alone
 * @param prefill prompts
 */
public record RolloutTime(double bulk, double tail, double prefill) {
    /** Part of the batch that runs in the tail. */
    private static final double TAIL_BATCH = 0.08;

    private static final double PREFILL_EFFICIENCY = 0.45;

    /**
     * @param acceptance share of drafted tokens that are accepted, 0 to 1
     */
    public static RolloutTime of(Candidate candidate, EngineSide engine, EngineMemory memory, double acceptance) {
        Workload workload = candidate.workload();
        double samples = (double) workload.samplesPerStep() / engines(candidate, engine);
        double running = running(candidate, engine, memory);
        double waves = Math.ceil(samples / running);
        double response = SampleTokens.response(workload);
        Decoding decoding = new Decoding(candidate, engine, memory, acceptance);
        double bulk = waves * response * decoding.secondsPerToken(Math.min(samples, running));
        double tail = Math.max(0, workload.maxResponseTokens() - response)
                * decoding.secondsPerToken(Math.max(1, TAIL_BATCH * Math.min(samples, running)));
        double prompts = workload.groupsPerStep() * SampleTokens.prompt(workload) / engines(candidate, engine);
        Flops flops = Flops.of(candidate.model(), SampleTokens.prompt(workload));
        double prefill = prompts
                * (flops.allDense() + flops.allExperts())
                / (engine.gpus() * candidate.cluster().gpu().bf16Teraflops() * 1e12 * PREFILL_EFFICIENCY);
        return new RolloutTime(bulk, tail, prefill);
    }

    /** Mean length of a sample, prompt and response, tokens. */
    public static double meanTokens(Workload workload) {
        return SampleTokens.mean(workload);
    }

    public double seconds() {
        return bulk + tail + prefill;
    }

    /** How much faster decoding at a full engine's batch is with this speculation than without; 1 is no gain. */
    public static double speculationGain(
            Candidate candidate, EngineSide engine, EngineMemory memory, double acceptance) {
        double batch = Math.min(
                running(candidate, engine, memory),
                (double) candidate.workload().samplesPerStep() / engines(candidate, engine));
        double with = new Decoding(candidate, engine, memory, acceptance).secondsPerToken(batch);
        double without =
                new Decoding(candidate, engine.with(Speculation.OFF), memory, acceptance).secondsPerToken(batch);
        return without / with;
    }

    private static int engines(Candidate candidate, EngineSide engine) {
        return Math.max(1, candidate.cluster().rolloutGpus() / engine.gpus());
    }

    /** Samples an engine runs at once: its limit, or what its KV caches hold. */
    private static double running(Candidate candidate, EngineSide engine, EngineMemory memory) {
        double mean = SampleTokens.mean(candidate.workload());
        int ranks = engine.dpAttention() ? engine.dp() : 1;
        double held = Math.max(1, Math.floor(ranks * memory.cacheTokens() / Math.max(1, mean)));
        return engine.maxRunningRequests() > 0 ? Math.min(engine.maxRunningRequests(), held) : held;
    }

    /**
     * Time of a decoding step. Two constants are fitted to two published points of GLM-4.7-Flash on one H200 (model card
     * of thoughtworks/GLM-4.7-Flash-Eagle3: 128.7 tokens a second at batch 1, 1,495 at 32): launch time of a layer, and
     * the share of memory bandwidth that is reached.
     */
    private record Decoding(Candidate candidate, EngineSide engine, EngineMemory memory, double acceptance) {
        private static final double LAYER_SECONDS = 0.12e-3;
        private static final double BANDWIDTH_SHARE = 0.70;
        private static final double PEAK_SHARE = 0.45;
        private static final double NEAR_SECONDS = 12e-6;
        private static final double FAR_SECONDS = 35e-6;
        /** Verifying more drafts costs no more than this many tokens each. */
        private static final double DEAREST_VERIFY = 2.2;

        /** Seconds until each of the engine's running samples has one token more. */
        double secondsPerToken(double batch) {
            Speculation speculation = engine.speculation();
            if (!speculation.on()) {
                return step(batch);
            }
            int steps = Math.max(1, speculation.steps());
            double verified = step(batch * Math.min(steps + 1, DEAREST_VERIFY));
            double cost = verified * (1 + steps * (1.5 / candidate.model().layers() + 0.01));
            double accepted = (1 - Math.pow(acceptance, steps + 1)) / (1 - acceptance);
            return cost / accepted;
        }

        private double step(double batch) {
            ModelSpec model = candidate.model();
            Gpu gpu = candidate.cluster().gpu();
            double rank = batch / (engine.dpAttention() ? engine.dp() : 1);
            double bytes =
                    weightBytes(batch) + rank * SampleTokens.mean(candidate.workload()) * memory.cacheBytesPerToken();
            double moved = bytes / (BANDWIDTH_SHARE * gpu.memoryTerabytesPerSecond() * 1e12);
            double operations = batch * 2.0 * new Parameters(model).active() / engine.gpus();
            double computed = operations / (PEAK_SHARE * gpu.bf16Teraflops() * 1e12);
            return LAYER_SECONDS * model.layers() + Math.max(moved, computed) + collectives(batch);
        }

        /** Weights that a step reads on one GPU: of experts only those that some token chose. */
        private double weightBytes(double batch) {
            ModelSpec model = candidate.model();
            Experts experts = model.experts();
            if (experts == null) {
                return memory.weights();
            }
            Parameters parameters = new Parameters(model);
            double routed = (double) model.sparseLayers()
                    * (experts.count() + engine.redundantExperts())
                    * parameters.expert()
                    * engine.weightBytes()
                    / engine.tp();
            double chosen = 1 - Math.pow(1 - (double) experts.perToken() / experts.count(), batch);
            return memory.weights() - routed * (1 - chosen);
        }

        private double collectives(double batch) {
            if (engine.tp() == 1) {
                return 0;
            }
            boolean far = engine.gpus() > candidate.cluster().gpusPerNode();
            Links links = Links.of(candidate.cluster());
            double bytes = batch * candidate.model().hiddenSize() * 2;
            double each = (far ? FAR_SECONDS : NEAR_SECONDS) + bytes / links.of(engine.gpus());
            return 2 * candidate.model().layers() * each;
        }
    }
}
