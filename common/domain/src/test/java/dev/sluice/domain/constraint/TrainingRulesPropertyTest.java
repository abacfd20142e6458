package dev.sluice.domain.constraint;

import static org.assertj.core.api.Assertions.assertThatCode;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Dispatcher;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Whatever sizes a request or a script gives, rules tell of them and never fail themselves. */
class TrainingRulesPropertyTest {
    private static final long SEED = 20_260_824;
    private static final int[] SIZES = {Integer.MIN_VALUE, -1, 0, 0, 1, 2, 3, 5, 8, 16, 47, 65_536};
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
            "--use-kl-loss");

    private final Random random = new Random(SEED);

    @Test
    void neverFailsOnSizesThatMakeNoSense() {
        List<Candidate> origins = TrainingRulesTest.layoutsThatRun().toList();
        for (int i = 0; i < 20_000; i++) {
            Candidate candidate = strange(origins.get(random.nextInt(origins.size())));

            for (Constraint rule : TrainingRulesTest.RULES) {
                assertThatCode(() -> rule.problem(candidate))
                        .as("%s, seed %d, %s", rule.id(), SEED, candidate)
                        .doesNotThrowAnyException();
            }
        }
    }

    private Candidate strange(Candidate origin) {
        CandidateDraft draft = Candidates.draft(origin)
                .trainGpus(size())
                .rolloutGpus(size())
                .gpusPerNode(size())
                .totalGpus(size())
                .layout(size(), size(), size(), size(), size())
                .stages(stage(), stage())
                .tokensPerGpu(size())
                .sequenceParallel(random.nextBoolean())
                .recompute(Recompute.values()[random.nextInt(3)])
                .dispatcher(Dispatcher.values()[random.nextInt(3)])
                .groups(small())
                .samples(small())
                .globalBatch(size())
                .optimizerSteps(small())
                .oversample(small())
                .lengths(small(), small(), small())
                .colocated(random.nextBoolean());
        if (random.nextBoolean()) {
            draft.engine(Math.max(size(), -1), Math.max(size(), -1));
        }
        for (int flag = random.nextInt(4); flag > 0; flag--) {
            draft.megatron(FLAGS.get(random.nextInt(FLAGS.size())), size());
        }
        return draft.build();
    }

    private Integer stage() {
        return random.nextBoolean() ? null : size();
    }

    private int size() {
        return SIZES[random.nextInt(SIZES.length)];
    }

    private int small() {
        return random.nextInt(40) - 4;
    }
}
