package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Workload;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How the samples of a step become batches and micro-batches. */
final class BatchConstraints {
    private static final String DYNAMIC = "--use-dynamic-batch-size";

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "R01",
                    Severity.ERROR,
                    "rollout.groupsPerStep",
                    "the global batch divides the samples of a step",
                    "slime dp_schedule (trailing samples are dropped); Megatron perform_rl_step",
                    BatchConstraints::wholeBatches),
            new Constraint(
                    "R02",
                    Severity.ERROR,
                    "training.optimizerStepsPerStep",
                    "optimizer steps divide the samples of a step and agree with the global batch",
                    "slime arguments.py slime_validate_args",
                    BatchConstraints::optimizerSteps),
            new Constraint(
                    "R03",
                    Severity.ERROR,
                    "training.layout",
                    "each data-parallel rank gets a sample of each optimizer step",
                    "slime dp_schedule",
                    BatchConstraints::sampleForEachRank),
            new Constraint(
                    "R04",
                    Severity.ERROR,
                    "training.layout",
                    "fixed micro-batches divide the global batch over the ranks",
                    "slime dp_schedule",
                    BatchConstraints::fixedMicroBatches),
            new Constraint(
                    "R05",
                    Severity.ERROR,
                    "training.layout.tokensPerGpu",
                    "micro-batches of varying size have a bound",
                    "slime slime_validate_args",
                    BatchConstraints::tokenBound),
            new Constraint(
                    "R06",
                    Severity.WARNING,
                    "training.layout.tokensPerGpu",
                    "the longest sample fits into one micro-batch",
                    "slime dp_schedule",
                    BatchConstraints::longestSample),
            new Constraint(
                    "R07",
                    Severity.ERROR,
                    "rollout.oversample",
                    "at least a step's groups are in flight",
                    "slime slime_validate_args",
                    BatchConstraints::oversampling),
            new Constraint(
                    "R23",
                    Severity.ERROR,
                    "training",
                    "balancing by operations needs micro-batches of varying size",
                    "slime slime_validate_args",
                    BatchConstraints::balancing));

    private BatchConstraints() {}

    /** Sluice packs samples up to a bound of tokens; slime where it is told to. */
    private static boolean dynamic(Candidate candidate) {
        return !Given.script(candidate) || Given.has(candidate, DYNAMIC);
    }

    private static @Nullable Breach wholeBatches(Candidate candidate) {
        Workload workload = candidate.workload();
        int samples = workload.samplesPerStep();
        int batch = workload.globalBatchSamples();
        // Where optimizer steps are given, the batch follows from them: R02 tells.
        if (workload.optimizerStepsPerStep() > 0 || samples < 1 || batch < 1 || samples % batch == 0) {
            return null;
        }
        List<Integer> legal = Divisors.of(samples);
        List<Integer> near = legal.stream()
                .filter(size -> size == below(legal, batch) || size == above(legal, batch))
                .toList();
        return new Breach(
                "%d groups of %d = %d samples are not a multiple of a global batch of %d; %d of each step would be dropped"
                        .formatted(
                                workload.groupsPerStep(), workload.samplesPerPrompt(), samples, batch, samples % batch),
                "set the global batch to " + Divisors.choice(near));
    }

    private static int below(List<Integer> sizes, int batch) {
        return sizes.stream().filter(size -> size < batch).reduce(1, Integer::max);
    }

    private static int above(List<Integer> sizes, int batch) {
        return sizes.stream().filter(size -> size > batch).findFirst().orElse(sizes.getLast());
    }

    private static @Nullable Breach optimizerSteps(Candidate candidate) {
        Workload workload = candidate.workload();
        int steps = workload.optimizerStepsPerStep();
        int samples = workload.samplesPerStep();
        if (steps < 1 || samples < 1) {
            return null;
        }
        if (samples % steps != 0) {
            return new Breach(
                    "%d samples do not divide into %d optimizer steps".formatted(samples, steps),
                    "set training.optimizerStepsPerStep to " + Divisors.choice(Divisors.of(samples, 16)));
        }
        int batch = workload.globalBatchSamples();
        return batch < 1 || batch == samples / steps
                ? null
                : new Breach(
                        "the global batch is %d, but %d samples over %d optimizer steps are %d each"
                                .formatted(batch, samples, steps, samples / steps),
                        "set the global batch to %d, or leave it out".formatted(samples / steps));
    }

    private static @Nullable Breach sampleForEachRank(Candidate candidate) {
        int ranks = Grid.of(candidate).copies();
        int batch = candidate.workload().globalBatchSamples();
        int group = microBatchGroup(candidate);
        if (batch >= ranks && batch < (long) ranks * group && dynamic(candidate)) {
            return new Breach(
                    "an optimizer step has %d samples, too few for micro-batches in groups of %d for virtual stages on each of %d data-parallel ranks"
                            .formatted(batch, group, ranks),
                    "take at least %d samples a step, or leave virtual stages out".formatted((long) ranks * group));
        }
        if (batch < 1 || batch >= ranks) {
            return null;
        }
        return new Breach(
                "an optimizer step has %d samples, less than the %d data-parallel ranks (%s)"
                        .formatted(batch, ranks, candidate.training().layout()),
                "raise training.layout.cp, pp or tp until at most %d ranks are left, or take at least %d samples a step"
                        .formatted(batch, ranks));
    }

    private static @Nullable Breach fixedMicroBatches(Candidate candidate) {
        int ranks = Grid.of(candidate).copies();
        int batch = candidate.workload().globalBatchSamples();
        int micro = Given.count(candidate, "--micro-batch-size", 1);
        // Too few samples for the ranks are told by R03.
        if (dynamic(candidate) || ranks < 1 || batch < ranks || micro < 1) {
            return null;
        }
        int group = microBatchGroup(candidate);
        long unit = (long) ranks * micro * group;
        if (batch % unit == 0) {
            return null;
        }
        return new Breach(
                "a global batch of %d does not divide into micro-batches of %d over %d ranks%s"
                        .formatted(
                                batch,
                                micro,
                                ranks,
                                group > 1 ? " in groups of %d for virtual stages".formatted(group) : ""),
                "add %s, or make the global batch a multiple of %d".formatted(DYNAMIC, unit));
    }

    /** Micro-batches that interleaved stages work through together; 1 where they are not interleaved. */
    private static int microBatchGroup(Candidate candidate) {
        return Stages.virtual(candidate) > 1
                ? Math.max(
                        1,
                        Given.count(
                                candidate,
                                "--microbatch-group-size-per-virtual-pipeline-stage",
                                candidate.training().layout().pp()))
                : 1;
    }

    private static @Nullable Breach tokenBound(Candidate candidate) {
        if (!dynamic(candidate) || candidate.training().tokensPerGpu() > 0) {
            return null;
        }
        return new Breach(
                "micro-batches are filled up to a number of tokens, but none is given",
                "set training.layout.tokensPerGpu (--max-tokens-per-gpu)");
    }

    private static @Nullable Breach longestSample(Candidate candidate) {
        int tokens = candidate.training().tokensPerGpu();
        int cp = candidate.training().layout().cp();
        int longest = candidate.workload().longestSampleTokens();
        if (!dynamic(candidate) || tokens < 1 || cp < 1 || (long) tokens * cp >= longest) {
            return null;
        }
        int each = Math.ceilDiv(longest, cp);
        return new Breach(
                "a sample may have %d tokens, more than %d a GPU over CP %d hold: it runs alone, and memory is planned"
                                .formatted(longest, tokens, cp)
                        + " for %d tokens a GPU".formatted(each),
                "set training.layout.tokensPerGpu to at least %d, or raise training.layout.cp".formatted(each));
    }

    private static @Nullable Breach oversampling(Candidate candidate) {
        Workload workload = candidate.workload();
        if (!workload.rollout() || workload.oversample() >= 0) {
            return null;
        }
        return new Breach(
                "%d groups are in flight, fewer than the %d that a step needs"
                        .formatted(workload.groupsPerStep() + workload.oversample(), workload.groupsPerStep()),
                "set rollout.oversample to at least 0 (--over-sampling-batch-size %d)"
                        .formatted(workload.groupsPerStep()));
    }

    private static @Nullable Breach balancing(Candidate candidate) {
        if (!Given.has(candidate, "--balance-by-flops") || dynamic(candidate)) {
            return null;
        }
        return new Breach(
                "--balance-by-flops moves samples between micro-batches, which are of fixed size here",
                "add " + DYNAMIC);
    }
}
