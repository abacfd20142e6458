package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm47Flash;
import static dev.sluice.domain.constraint.Candidates.qwen3_4b;
import static dev.sluice.domain.constraint.Candidates.script;
import static dev.sluice.domain.constraint.Candidates.twoNodes;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import java.util.List;

/** A run's settings: batches, algorithm, length, placement. */
final class RunCases {
    private static final String DYNAMIC = "--use-dynamic-batch-size";
    private static final String ESTIMATOR = "--advantage-estimator";
    private static final String CONCURRENCY = "--sglang-server-concurrency";

    private RunCases() {}

    static final List<RuleCase> BATCHES = List.of(
            keeps("R01", "256 samples in batches of 64", glm().globalBatch(64)),
            breaks(
                    "R01",
                    "256 samples in batches of 100",
                    glm().globalBatch(100),
                    "32 groups of 8 = 256 samples are not a multiple of a global batch of 100; 56 of each step"),
            breaks("R01", "256 samples in batches of 512", glm().globalBatch(512), "256 of each step would be dropped"),
            keeps("R02", "4 optimizer steps", glm().optimizerSteps(4).globalBatch(64)),
            keeps(
                    "R02",
                    "4 optimizer steps without a batch",
                    glm().optimizerSteps(4).globalBatch(0)),
            breaks(
                    "R02",
                    "3 optimizer steps",
                    glm().optimizerSteps(3).globalBatch(85),
                    "256 samples do not divide into 3"),
            breaks(
                    "R02",
                    "4 optimizer steps of 100 samples",
                    glm().optimizerSteps(4).globalBatch(100),
                    "the global batch is 100, but 256 samples over 4 optimizer steps are 64 each"),
            keeps("R03", "8 samples for 8 ranks", glm().globalBatch(8)),
            breaks(
                    "R03",
                    "4 samples for 8 ranks",
                    glm().globalBatch(4),
                    "4 samples, less than the 8 data-parallel ranks"),
            keeps("R03", "8 samples for 2 ranks and groups of 3 virtual stages", interleaved(8)),
            breaks(
                    "R03",
                    "4 samples for 2 ranks and groups of 3 virtual stages",
                    interleaved(4),
                    "4 samples, too few for micro-batches in groups of 3 for virtual stages on each of 2"),
            keeps("R04", "micro-batches of 4 over 8 ranks", fixed(4)),
            keeps("R04", "varying micro-batches", draft(script()).slime("--micro-batch-size", 3)),
            breaks(
                    "R04",
                    "micro-batches of 3 over 8 ranks",
                    fixed(3),
                    "does not divide into micro-batches of 3 over 8 ranks"),
            breaks(
                    "R04",
                    "micro-batches of 3 stages with virtual ones",
                    draft(script())
                            .model(TestModels.QWEN3_NEXT)
                            .gpus(24)
                            .layout(2, 3, 2, 8, 1)
                            .withoutSlime(DYNAMIC)
                            .megatron("--num-virtual-stages-per-pipeline-rank", 2),
                    "over 2 ranks in groups of 3 for virtual stages"),
            keeps("R05", "8192 tokens a GPU", glm47Flash()),
            keeps("R05", "fixed micro-batches", fixed(1).tokensPerGpu(0)),
            breaks(
                    "R05",
                    "a script without a bound",
                    draft(script()).tokensPerGpu(0),
                    "filled up to a number of tokens"),
            breaks("R05", "a request without a bound", glm().tokensPerGpu(0), "filled up to a number of tokens"),
            keeps(
                    "R06",
                    "8192 tokens over CP 2 for samples of 16384",
                    glm().layout(1, 1, 2, 8, 1).lengths(0, 16_384, 0)),
            breaks(
                    "R06",
                    "8192 tokens over CP 2 for samples of 20000",
                    glm().layout(1, 1, 2, 8, 1).lengths(2000, 18_000, 0),
                    "20000 tokens, more than 8192 a GPU over CP 2 hold: it runs alone, and memory is planned for 10000"),
            keeps("R07", "8 groups more", glm().oversample(8).engine(engine -> engine.samples(320))),
            breaks("R07", "8 groups less", glm().oversample(-8), "24 groups are in flight, fewer than the 32"),
            keeps("R23", "varying micro-batches", draft(script()).slime("--balance-by-flops")),
            breaks("R23", "fixed micro-batches", fixed(1).slime("--balance-by-flops"), "of fixed size here"));

    static final List<RuleCase> ALGORITHM = List.of(
            keeps("R08", "groups of 8", glm47Flash()),
            keeps("R08", "PPO with one sample", one(draft(script())).slime(ESTIMATOR, "ppo")),
            keeps("R08", "fine-tuning", one(glm()).trainOnly()),
            breaks("R08", "groups of 1", one(glm()), "a group of 1 sample equals its mean"),
            keeps("R09", "KL in the loss", draft(script()).slime("--kl-loss-coef", 0.1)),
            breaks(
                    "R09",
                    "KL in both",
                    draft(script()).slime("--kl-loss-coef", 0.1).slime("--kl-coef", 0.2),
                    "--kl-coef 0.2 in the reward and --kl-loss-coef 0.1 in the loss"),
            keeps("R10", "a reference", script()),
            keeps("R10", "no KL", draft(script()).withoutSlime("--ref-load").withoutSlime("--use-kl-loss")),
            breaks(
                    "R10",
                    "no reference",
                    draft(script()).withoutSlime("--ref-load"),
                    "--use-kl-loss needs a reference"),
            breaks(
                    "R10",
                    "no reference for the reward",
                    draft(script())
                            .withoutSlime("--ref-load")
                            .withoutSlime("--use-kl-loss")
                            .slime("--kl-coef", 0.1),
                    "--kl-coef needs a reference model"),
            keeps("R11", "a correction", draft(script()).slime("--use-tis")),
            breaks(
                    "R11",
                    "a correction of nothing",
                    draft(script()).slime("--use-tis").slime("--use-rollout-logprobs"),
                    "would be none"),
            keeps("R12", "REINFORCE++ with it", reinforce().slime("--normalize-advantages")),
            breaks("R12", "REINFORCE++ without it", reinforce(), "reinforce_plus_plus_baseline"),
            keeps("R13", "temperature 1", glm47Flash()),
            keeps("R13", "fine-tuning at temperature 0", glm().temperature(0).trainOnly()),
            breaks("R13", "temperature 0", glm().temperature(0), "at temperature 0.0 decoding is greedy"),
            keeps(
                    "R14",
                    "a context with room for 1 token",
                    glm().lengths(8191, 8192, 8192).tokensPerGpu(16_384)),
            breaks(
                    "R14",
                    "a context as long as the prompt",
                    glm().lengths(8192, 8192, 8192).tokensPerGpu(16_384),
                    "a prompt of 8192 tokens"),
            keeps("R15", "3000 steps", script()),
            keeps("R15", "epochs", draft(script()).withoutSlime("--num-rollout").slime("--num-epoch", 1)),
            keeps("R15", "a request, which has steps", glm47Flash()),
            breaks("R15", "neither", draft(script()).withoutSlime("--num-rollout"), "neither --num-rollout nor"),
            keeps("R16", "held-out prompts", script()),
            keeps(
                    "R16",
                    "a file of sets",
                    draft(script()).withoutSlime("--eval-prompt-data").slime("--eval-config", "e.yaml")),
            breaks(
                    "R16",
                    "no prompts",
                    draft(script()).withoutSlime("--eval-prompt-data"),
                    "--eval-interval 20 is given, but no"));

    static final List<RuleCase> PLACEMENT = List.of(
            keeps("R17", "4 engines of 2 on 8 GPUs", qwen3_4b()),
            keeps("R17", "fine-tuning", glm().rolloutGpus(0).trainOnly()),
            breaks("R17", "engines of 8 on 12 GPUs", apart(8, 12), "12 rollout GPUs cannot form engines of 8"),
            breaks("R17", "no rollout GPUs", apart(8, 0), "0 rollout GPUs cannot form engines of 8"),
            keeps("R18", "8 shared GPUs", glm47Flash()),
            keeps("R18", "fewer GPUs that sample", draft(twoNodes()).rolloutGpus(8)),
            keeps("R18", "a larger pool of its own", apart(8, 16)),
            breaks("R18", "16 GPUs that sample on 8", glm().rolloutGpus(16), "16 GPUs sample and 8 train"),
            keeps("R19", "8 and 8 of 16 GPUs", apart(8, 8).totalGpus(16)),
            keeps("R19", "8 shared of 8 GPUs", glm().totalGpus(8)),
            keeps("R19", "machines of unknown number", apart(8, 512)),
            breaks("R19", "8 and 16 of 16 GPUs", apart(8, 16).totalGpus(16), "apart, need 24, but there are 16"),
            breaks("R19", "16 shared of 8 GPUs", draft(twoNodes()).totalGpus(8), "shared, need 16, but there are 8"),
            keeps("R20", "slime's 512 requests for 256 samples", script()),
            keeps(
                    "R20",
                    "a request, whose gateway has no such bound",
                    glm().groups(1000).globalBatch(8000).engine(8, 0)),
            breaks(
                    "R20",
                    "slime's 512 requests for 8000 samples",
                    draft(script()).groups(1000).globalBatch(8000).engine(8, 0),
                    "8000 samples a step queue in the client: it keeps 512 requests open to each of 1 engine"),
            breaks(
                    "R20",
                    "100 requests for 256 samples",
                    draft(script()).slime(CONCURRENCY, 100),
                    "keeps 100 requests"),
            keeps("R21", "256 slots for 256 samples", glm47Flash()),
            keeps("R21", "64 slots in each of 4 engines", qwen3_4b()),
            breaks(
                    "R21",
                    "256 slots for 320 samples",
                    glm().oversample(8),
                    "320 samples are in flight, but 1 engine can run 256 at once: rollout takes 2 waves"),
            keeps("R22", "pools of their own", draft(script()).colocated(false).asynchronous()),
            keeps("R22", "one after the other", script()),
            breaks("R22", "shared GPUs", draft(script()).asynchronous(), "both use the same GPUs"));

    private static CandidateDraft fixed(int microBatch) {
        return draft(script()).withoutSlime(DYNAMIC).slime("--micro-batch-size", microBatch);
    }

    /** Micro-batches of varying size on 2 data-parallel ranks of 3 stages, each of which is 2 virtual ones. */
    private static CandidateDraft interleaved(int samples) {
        return draft(script())
                .model(TestModels.QWEN3_NEXT)
                .gpus(24)
                .layout(2, 3, 2, 8, 1)
                .globalBatch(samples)
                .megatron("--num-virtual-stages-per-pipeline-rank", 2);
    }

    private static CandidateDraft one(CandidateDraft draft) {
        return draft.samples(1).groups(256);
    }

    private static CandidateDraft reinforce() {
        return draft(script()).slime(ESTIMATOR, "reinforce_plus_plus_baseline");
    }

    private static CandidateDraft apart(int train, int rollout) {
        return glm().colocated(false).trainGpus(train).rolloutGpus(rollout);
    }
}
