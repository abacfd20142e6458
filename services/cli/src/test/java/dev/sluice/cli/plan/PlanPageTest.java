package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Plan;
import dev.sluice.events.Plan.EngineLayout;
import dev.sluice.events.Plan.Rejection;
import dev.sluice.events.Plan.RolloutPlan;
import dev.sluice.events.Plan.Stage;
import dev.sluice.events.Plan.TrainingLayout;
import dev.sluice.events.TrainingRequest;
import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PlanPageTest {
    private static final String AUTO = "cluster: {placement: auto, gpu: H100-80}";

    @Test
    void thePageOfOneNodeSaysWhetherHowFastWhereAndWhy() {
        assertThat(page(ExamplePlans.oneNode(), ExamplePlans.glmOnOneNode())).isEqualTo("""
                glm47-flash can run, with 1 warning; nothing was started

                  model         glm4_moe_lite, 29.9 B parameters (3.58 B active a token), MTP layer 644 M, up to
                                202,752 tokens
                  machines      8 H100-80 GPUs on 1 node, colocated: rollout and training take turns on them
                  step          118 s predicted (83 s to 153 s), 1.15 M tokens generated and trained on,
                                9.76 k tokens/s

                Layout ─────────────────────────────────────────────────────────────────────────────────────────────
                  training      8 GPUs: TP1 PP1 CP1 DP8, experts EP8 ETP1; 8,192 tokens a GPU in a micro-batch;
                                Adam's state in host memory
                  rollout       1 engine of 8 GPUs: TP8, attention DP8; a KV cache of 824,456 tokens a rank; 128
                                samples at once
                  weights       tensor: engines open the worker's memory on the GPUs that they share

                  node 0, training ranks 0-7
                  GPU                  0         1         2         3         4         5         6         7
                                  ┌─────────┬─────────┬─────────┬─────────┬─────────┬─────────┬─────────┬─────────┐
                  training     DP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                                  ├─────────┼─────────┼─────────┼─────────┼─────────┼─────────┼─────────┼─────────┤
                  experts      EP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                                  ├─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┤
                  rollout         │                                   engine 0                                    │
                  attention    DP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                  feed-forward TP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                                  └─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┘

                Memory, GiB ────────────────────────────────────────────────────────────────────────────────────────
                  training GPU  ███████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▒▒░░░░░░░░░░░░░▚▚▚▚···························┃····
                                48.8 of 79.1, at most 74.4 (┃): █ weights 10.5  ▓ gradients 21.0  ▒ activations 1.5
                                ░ logits 11.8  ▚ fixed 4.0
                  engine GPU    ██████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▒░░░░························
                                56.5 of 79.1: █ weights 9.8  ▓ KV cache 41.6  ▒ draft 1.1  ░ trainer residue 4.0
                  host          ███████████████████████▓▓▓▓▓▓▓▓▓▒▒▒▒▒···············································
                                896 of 2,048: █ Adam 558  ▓ weight copies 210  ▒ processes 128

                Time of a step ─────────────────────────────────────────────────────────────────────────────────────
                  118 s         █████████████████████████████████████████████████████████▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▒▒▒▒░░░░
                                █ rollout 80 s  ▓ training 26 s  ▒ weights 6.8 s  ░ sleep and wake 5.0 s

                Choices ────────────────────────────────────────────────────────────────────────────────────────────
                  training.layout = TP1 PP1 CP1 EP8 ETP1
                      no collective inside attention, experts stay within the node's NVLink
                      not TP2 EP8: 4 % slower, 5.7 GiB less
                  training.layout.cpuAdam = on
                      without it 90.6 GiB a GPU, of 74.4 that a plan may use (H01)
                      not precision-aware Adam on the GPU: 83.6 GiB (H01)
                  training.layout.tokensPerGpu = 8192
                      the longest sample fits; logits grow by 1.4 GiB each 1,024 tokens
                  rollout.layout.dp = 8
                      20 heads do not divide by 8, and the latent cache is not split by TP
                      not dp 4: half the KV cache a request

                Next best layouts ──────────────────────────────────────────────────────────────────────────────────
                  layout                          a step  GiB   not taken because
                  TP1 PP1 CP1 EP8, 12,288 tokens  119 s   55.2  within 1 %; more memory
                  TP1 PP1 CP1 EP4, 8,192 tokens   121 s   61.9  slower by 3 s: twice the experts a GPU, so CPU Adam
                                                                moves more
                  TP2 PP1 CP1 EP8, 16,384 tokens  123 s   43.1  4 % slower
                  TP4 PP1 CP1 EP8, 16,384 tokens  131 s   33.6  11 % slower

                Layouts that cannot run ────────────────────────────────────────────────────────────────────────────
                  family             layouts  rule  because
                  TP 8               42       M03   20 attention heads do not divide by TP 8
                  PP 2, even stages  96       M08   47 layers do not divide into 2 stages; give a last stage
                  Adam on the GPU    110      H01   at least 83.6 GiB a GPU, of 74.4 that a plan may use

                If an engine runs out of memory at its start ───────────────────────────────────────────────────────
                  1. a static share of 0.65 leaves 4 GiB more for graphs
                  2. decoding graphs up to a batch of 8

                Warnings ───────────────────────────────────────────────────────────────────────────────────────────
                  rollout.layout.cudaGraphMaxBatch (S22)
                      16 requests a rank are captured as graphs, up to 32 run at once with evaluation: the rest runs
                      eagerly
                    → set rollout.layout.cudaGraphMaxBatch to 32, for 0.3 GiB""");
    }

    @Test
    void thePageOfACpuPlanIsShort() {
        assertThat(page(ExamplePlans.request(""), ExamplePlans.cpu())).isEqualTo("""
                glm47-flash can run; nothing was started

                  model         glm4_moe_lite, 1.23 M parameters (346 k active a token), MTP layer 45.7 k, up to 256
                                tokens
                  machines      no GPUs
                  step          its time is not predicted

                Layout ─────────────────────────────────────────────────────────────────────────────────────────────
                  training      one process without GPUs
                  rollout       2 engines without GPUs; a KV cache of 32,768 tokens an engine; 128 samples at once
                                in each
                  weights       disk: as files that the engines load

                Memory, GiB ────────────────────────────────────────────────────────────────────────────────────────
                  training      ████████████████████████████████████████████████████████████████████████████████████
                                0.02, of an unstated total: █ worker 0.02

                Choices ────────────────────────────────────────────────────────────────────────────────────────────
                  rollout.engines = 2
                      one engine loads weights or restarts while the other samples
                      not 1: sampling would stop at every publication""");
    }

    /** Ranks of TP4 PP2 CP2 EP8 on 16 GPUs as {@link TrainingRanksTest} has them, engines as {@link EngineRanksTest}. */
    @Test
    void twoNodesAreDrawnWithTheLayersOfTheirStages() {
        assertThat(page(ExamplePlans.nodes(2), ExamplePlans.glmOnTwoNodes())).contains("""
                  node 0, training ranks 0-7
                  GPU               0         1         2         3         4         5         6         7
                               ┌───────────────────────────────────────────────────────────────────────────────┐
                  training  PP │                             stage 0: layers 0-23                              │
                            CP │                   0                   │                   1                   │
                            TP │    0    │    1    │    2    │    3    │    0    │    1    │    2    │    3    │
                               ├─────────┼─────────┼─────────┼─────────┼─────────┼─────────┼─────────┼─────────┤
                  experts   EP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                               ├─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┤
                  rollout      │                                   engine 0                                    │
                  attention DP │         0         │         1         │         2         │         3         │
                            TP │    0    │    1    │    0    │    1    │    0    │    1    │    0    │    1    │
                  experts   EP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                               └─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┘

                  node 1, training ranks 8-15
                  GPU               0         1         2         3         4         5         6         7
                               ┌───────────────────────────────────────────────────────────────────────────────┐
                  training  PP │                             stage 1: layers 24-46                             │
                            CP │                   0                   │                   1                   │
                            TP │    0    │    1    │    2    │    3    │    0    │    1    │    2    │    3    │
                               ├─────────┼─────────┼─────────┼─────────┼─────────┼─────────┼─────────┼─────────┤
                  experts   EP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                               ├─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┤
                  rollout      │                                   engine 1                                    │
                  attention DP │         0         │         1         │         2         │         3         │
                            TP │    0    │    1    │    0    │    1    │    0    │    1    │    0    │    1    │
                  experts   EP │    0    │    1    │    2    │    3    │    4    │    5    │    6    │    7    │
                               └─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┴─────────┘
                """);
    }

    @Test
    void everyPipelineStageHasItsLayersAndMemory() {
        assertThat(page(ExamplePlans.nodes(2), ExamplePlans.glmOnTwoNodes())).contains("""
                    stage 0     ████████████████████████████████··························┃··· 40.9, layers 0-23
                    stage 1     ██████████████████████████████████████····················┃··· 49.1, layers 24-46
                """);
    }

    @Test
    void partsThatOverlapStandSideBySide() {
        assertThat(page(ExamplePlans.request("cluster: {gpu: H100-80}"), ExamplePlans.glmOnTwoPools()))
                .contains("""
                Time of a step ─────────────────────────────────────────────────────────────────────────────────────
                  rollout       ███████████████████████████████████████████████████████████████████████···· 57 s
                  training      ███████████████████████████████████········································ 28 s
                  weights       ████······································································· 3.2 s
                  overlap       rollout and training run at the same time: the parts take 88 s, the step 60 s
                """);
    }

    @Test
    void poolsThatShareNoGpuAreDrawnApart() {
        assertThat(page(ExamplePlans.request("cluster: {gpu: H100-80}"), ExamplePlans.glmOnTwoPools()))
                .contains("8 H100-80 GPUs on 1 node train, 8 H100-80 GPUs on 1 node sample")
                .containsSubsequence(
                        "training node 0, training ranks 0-7", "experts  EP", "rollout node 0", "engine 0");
    }

    @Test
    void manyNodesAreToldByTheFirstAndByWhereTheOthersDiffer() {
        List<Stage> stages = Collections.nCopies(16, new Stage(4, 40));
        RolloutPlan engines = ExamplePlans.engines(8, new EngineLayout(16, 4, 16, 0), 16);
        Plan plan = ExamplePlans.of(new TrainingLayout(4, 16, 1, 8, 1, 2), 128, stages, engines);

        assertThat(page(ExamplePlans.nodes(16), plan))
                .containsOnlyOnce("\n  GPU  ")
                .contains("""
                  nodes 1-15, where they differ:
                  node  training PP  rollout  attention DP  experts EP
                  1     1            0        2-3           8-15
                  2     2            1        0-1           0-7
                  3     3            1        2-3           8-15
                  …     …            …        …             …
                  15    15           7        2-3           8-15
                """);
    }

    @Test
    void stagesBeyondSixteenAreLeftOutButForTheFullestAndTheLast() {
        List<Stage> stages = IntStream.range(0, 32)
                .mapToObj(stage -> new Stage(2, stage == 20 ? 70 : 40))
                .toList();
        Plan plan = ExamplePlans.of(
                new TrainingLayout(1, 32, 1, 1, 1, 1),
                32,
                stages,
                ExamplePlans.engines(0, new EngineLayout(1, 1, 1, 0), 0));

        assertThat(page(ExamplePlans.nodes(4), plan))
                .containsSubsequence(
                        "stage 13", "26-27", "\n    …\n", "stage 20", "70.0, layers 40-41", "…", "stage 31", "62-63")
                .doesNotContain("stage 14 ", "stage 21 ");
    }

    @Test
    void aPlacementThatThePlannerChoseIsItsChoice() {
        assertThat(page(ExamplePlans.request(AUTO), ExamplePlans.glmOnOneNode()))
                .contains("8 H100-80 GPUs on 1 node, colocated", "tensor: engines open the worker's memory");
        assertThat(page(ExamplePlans.request(AUTO), ExamplePlans.glmOnTwoPools()))
                .contains("1 node train", "1 node sample", "nccl: the worker sends from GPU to GPU");
    }

    @Test
    void rejectionsBeyondTenLinesAreCounted() {
        Plan plan = withRejections(
                ExamplePlans.glmOnOneNode(),
                IntStream.rangeClosed(1, 14)
                        .mapToObj(tp -> new Rejection("TP " + tp, "M03", "heads do not divide", tp))
                        .toList());

        assertThat(page(ExamplePlans.oneNode(), plan))
                .contains("TP 10   10       M03   heads do not divide\n  and 4 more such families, 50 layouts\n")
                .doesNotContain("TP 11 ");
    }

    @Test
    void aTerminalWiderThanIsReadableGetsAHundredColumnsAndANarrowOneSixty() {
        Plan plan = ExamplePlans.glmOnOneNode();

        assertThat(new PlanPage(ExamplePlans.oneNode(), plan, 300).text())
                .isEqualTo(page(ExamplePlans.oneNode(), plan));
        assertThat(new PlanPage(ExamplePlans.oneNode(), plan, 20).text())
                .isEqualTo(new PlanPage(ExamplePlans.oneNode(), plan, 60).text());
    }

    private static String page(TrainingRequest request, Plan plan) {
        return new PlanPage(request, plan, 100).text();
    }

    private static Plan withRejections(Plan plan, List<Rejection> rejections) {
        return new Plan(
                plan.backend(),
                plan.model(),
                plan.training(),
                plan.rollout(),
                plan.prediction(),
                List.of(),
                List.of(),
                List.of(),
                rejections,
                plan.placement(),
                plan.transport());
    }
}
