package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm52;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static dev.sluice.domain.constraint.Candidates.script;
import static dev.sluice.domain.constraint.Candidates.twoNodes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Mends name values that work. */
class TrainingMendsTest {
    private static final long SEED = 20_260_825;

    @Test
    void offersTheExpertSizesAndTheGpusThatSlimesScriptForOneNodeLacks() {
        CandidateDraft script = glm().layout(2, 2, 2, 8, 1).stages(null, 23);

        assertThat(mend("M02", script))
                .isEqualTo("set training.layout.ep to 1, 2 or 4, or train on a multiple of 16 GPUs");
    }

    @Test
    void offersTheLastStageThatSlimesScriptOfGlm47FlashGives() {
        assertThat(mend("M08", draft(twoNodes()).stages(null, null)))
                .isEqualTo("set training.layout.lastStageLayers to 23 (--decoder-last-pipeline-num-layers 23), which"
                        + " leaves 24 a stage");
    }

    /** Last stages of slime's run-qwen3-235B-A22B.sh and run-kimi-k2-Thinking.sh. */
    @ParameterizedTest
    @CsvSource({"94, 4, 22", "61, 8, 5"})
    void findsTheLastStagesOfSlimesScripts(int layers, int stages, int last) {
        assertThat(Stages.lastStage(layers, stages)).hasValue(last);
    }

    /** The split of slime's run-glm5.2-744B-A40B.sh. */
    @Test
    void findsSlimesSplitOfSharedIndexes() {
        assertThat(mend("M13", draft(glm52()).stages(16, 14)))
                .isEqualTo("set training.layout.firstStageLayers to 14 and lastStageLayers to 16");
    }

    @Test
    void offersTensorSizesThatHeadsNodeAndGpusAllow() {
        assertThat(mend("M03", glm().tp(8))).isEqualTo("set training.layout.tp to 1, 2 or 4");
        assertThat(mend("M03", glm().gpus(20).gpusPerNode(10).tp(3)))
                .isEqualTo("set training.layout.tp to 1, 2, 4, 5 or 10");
    }

    @Test
    void offersOneSizeToChangeWhereCopiesDoNotFillTheGpus() {
        assertThat(mend("M01", glm().layout(2, 1, 3, 8, 1))).isEqualTo("set training.layout.cp to 1, 2 or 4");
        assertThat(mend("M01", glm().layout(5, 1, 3, 8, 1)))
                .isEqualTo("choose TP, PP and CP whose product is 1, 2, 4 or 8");
    }

    @Test
    void offersTheBatchesNextToTheGivenOne() {
        assertThat(mend("R01", glm().globalBatch(100))).isEqualTo("set the global batch to 64 or 128");
        assertThat(mend("R01", glm().globalBatch(512))).isEqualTo("set the global batch to 256");
    }

    /** 5,633 million parameters a GPU (planner's worked example: 2,160 dense and 3,473 of experts), 2.5 B, 8 GPUs. */
    @Test
    void tellsWhatAReferenceThatBuysNothingCosts() {
        assertThat(mend("R10", draft(script()).withoutSlime("--ref-load"))).contains("drop --use-kl-loss", "105 GiB");
    }

    @Test
    void offersExactlyTheSizesThatKeepTheRules() {
        Random random = new Random(SEED);
        for (int i = 0; i < 500; i++) {
            CandidateDraft draft = random.nextBoolean() ? glm() : draft(qwen3_30b());
            Candidate candidate = draft.gpus(1 + random.nextInt(64))
                    .layout(1, 1 + random.nextInt(4), 1 + random.nextInt(4), 1, 1 + random.nextInt(2))
                    .build();
            Layout layout = candidate.training().layout();
            Grid grid = Grid.of(candidate);

            assertThat(grid.tensorSizes())
                    .as("TP of %s with seed %d", candidate, SEED)
                    .isEqualTo(IntStream.rangeClosed(1, 8)
                            .filter(tp -> keeps(with(candidate, tp, layout.ep()), "M01", "M03", "M04"))
                            .boxed()
                            .toList());
            assertThat(grid.expertSizes())
                    .as("EP of %s with seed %d", candidate, SEED)
                    .isEqualTo(IntStream.rangeClosed(1, grid.gpus())
                            .filter(ep -> grid.gpus() % ((long) ep * layout.etp() * layout.pp()) == 0)
                            .filter(ep -> keeps(with(candidate, 1, ep), "M02", "M05"))
                            .boxed()
                            .toList());
        }
    }

    @Test
    void offersLastStagesThatKeepTheRules() {
        for (int layers = 2; layers < 100; layers++) {
            for (int stages = 2; stages < 16; stages++) {
                int count = layers;
                int pp = stages;
                Stages.lastStage(layers, stages).ifPresent(last -> {
                    assertThat(last).isBetween(1, (count - last) / (pp - 1));
                    assertThat((count - last) % (pp - 1)).isZero();
                });
            }
        }
    }

    private static Candidate with(Candidate candidate, int tp, int ep) {
        Layout layout = candidate.training().layout();
        return draft(candidate)
                .layout(tp, layout.pp(), layout.cp(), ep, layout.etp())
                .build();
    }

    private static boolean keeps(Candidate candidate, String... rules) {
        return List.of(rules).stream()
                .allMatch(
                        id -> ConstraintCases.constraint(id).problem(candidate).isEmpty());
    }

    private static String mend(String id, CandidateDraft draft) {
        return ConstraintCases.constraint(id)
                .problem(draft.build())
                .orElseThrow()
                .mend();
    }
}
