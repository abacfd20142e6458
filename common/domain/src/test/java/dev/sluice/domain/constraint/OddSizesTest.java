package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Gpu;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.events.Problem;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.Timeout.ThreadMode;

/** Whatever sizes a request or a script gives, they are judged: no rule fails itself, and a search agrees with a report. */
@Timeout(value = 60, threadMode = ThreadMode.SEPARATE_THREAD)
class OddSizesTest {
    private static final int CANDIDATES = 1000;
    private static final int[] SIZES = {
        Integer.MIN_VALUE,
        -8,
        -1,
        0,
        0,
        1,
        2,
        3,
        4,
        5,
        7,
        8,
        12,
        16,
        20,
        24,
        47,
        64,
        1000,
        65_536,
        1 << 30,
        Integer.MAX_VALUE
    };
    private static final List<String> FLAGS = List.of(
            "--num-virtual-stages-per-pipeline-rank",
            "--num-layers-per-virtual-pipeline-stage",
            "--recompute-num-layers",
            "--seq-length",
            "--micro-batch-size",
            "--microbatch-group-size-per-virtual-pipeline-stage",
            "--moe-router-num-groups",
            "--moe-router-group-topk",
            "--mtp-num-layers",
            "--cpu-offloading-num-layers",
            "--save-interval",
            "--sglang-server-concurrency",
            "--account-for-loss-in-pipeline-split",
            "--overlap-moe-expert-parallel-comm",
            "--make-vocab-size-divisible-by",
            "--padded-vocab-size",
            "--use-kl-loss");

    @RepeatedTest(20)
    void anySizesAreJudged(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<Candidate> origins = List.copyOf(Candidates.all().values());
        for (int i = 0; i < CANDIDATES; i++) {
            Candidate origin = origins.get(random.nextInt(origins.size()));
            Candidate candidate = new Strange(random, random.nextInt(1, 8)).of(origin);
            String seed = "seed %d, candidate %d: %s".formatted(repetition.getCurrentRepetition(), i, candidate);

            List<Problem> broken = broken(candidate, seed);

            boolean error = broken.stream().anyMatch(problem -> problem.severity() == Problem.Severity.ERROR);
            boolean training = Constraints.firstOfTraining(candidate).isPresent();
            boolean engine = Constraints.firstOfEngine(candidate).isPresent();
            // What a search asks of a side alone is never stricter than the whole.
            assertThat(error || !training && !engine).as(seed).isTrue();
        }
    }

    private static List<Problem> broken(Candidate candidate, String seed) {
        try {
            return Constraints.broken(candidate);
        } catch (RuntimeException e) {
            throw new AssertionError(seed, e);
        }
    }

    /** Makes candidates of which one in {@code rarity} values is odd, so that some rules are reached behind others. */
    private record Strange(Random random, int rarity) {
        Candidate of(Candidate origin) {
            CandidateDraft draft = Candidates.draft(origin).colocated(random.nextBoolean());
            if (odd()) {
                draft.gpu(Gpu.values()[random.nextInt(Gpu.values().length)]);
            }
            cluster(draft);
            training(draft);
            step(draft);
            if (origin.engine() != null) {
                draft.engine(this::engine);
            }
            return draft.build();
        }

        private void cluster(CandidateDraft draft) {
            if (odd()) {
                draft.trainGpus(size());
            }
            if (odd()) {
                draft.rolloutGpus(size());
            }
            if (odd()) {
                draft.gpusPerNode(size()).totalGpus(size());
            }
            if (odd()) {
                draft.diskGiB(size()).hostMemoryGiB(size());
            }
        }

        private void training(CandidateDraft draft) {
            if (odd()) {
                draft.layout(size(), size(), size(), size(), size());
            }
            if (odd()) {
                draft.stages(stage(), stage());
            }
            if (odd()) {
                draft.tokensPerGpu(size());
            }
            if (odd()) {
                draft.recompute(Recompute.values()[random.nextInt(3)]).sequenceParallel(random.nextBoolean());
            }
            if (odd()) {
                draft.optimizer(random.nextBoolean() ? Optimizer.GPU : Optimizer.PRECISION_AWARE);
            }
            if (odd()) {
                draft.dispatcher(Dispatcher.values()[random.nextInt(3)]);
            }
            while (odd()) {
                draft.megatron(FLAGS.get(random.nextInt(FLAGS.size())), size());
            }
        }

        private void step(CandidateDraft draft) {
            if (odd()) {
                draft.groups(small()).samples(small()).globalBatch(size()).optimizerSteps(small());
            }
            if (odd()) {
                draft.oversample(small()).lengths(small(), small(), small());
            }
        }

        private void engine(EngineDraft engine) {
            engine.gpus = odd() ? size() : engine.gpus;
            engine.pp = odd() ? size() : engine.pp;
            engine.dp = odd() ? size() : engine.dp;
            engine.dpAttention = odd() ? random.nextBoolean() : engine.dpAttention;
            engine.ep = odd() ? size() : engine.ep;
            engine.redundant = odd() ? size() : engine.redundant;
            engine.fraction = odd() ? random.nextDouble(-0.5, 1.5) : engine.fraction;
            engine.graph = odd() ? size() : engine.graph;
            engine.running = odd() ? size() : engine.running;
            engine.chunk = odd() ? size() : engine.chunk;
            engine.page = odd() ? size() : engine.page;
            engine.denseTp = odd() ? size() : engine.denseTp;
            engine.a2a = odd() ? "deepep" : engine.a2a;
            engine.weightBytes = odd() ? 1.01 : engine.weightBytes;
            engine.speculation = odd() ? new Speculation("EAGLE", size(), size(), size(), null) : engine.speculation;
        }

        private boolean odd() {
            return random.nextInt(rarity) == 0 && random.nextInt(8) != 0;
        }

        private @Nullable Integer stage() {
            return random.nextBoolean() ? null : size();
        }

        private int size() {
            return SIZES[random.nextInt(SIZES.length)];
        }

        private int small() {
            return random.nextInt(40) - 4;
        }
    }
}
