package dev.sluice.domain.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.search.GpuRequests;
import dev.sluice.events.Plan;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest.Transport;
import java.util.List;
import org.junit.jupiter.api.Test;

class GpuPlannerTest {

    /** Figures of the reference memory model for slime's recipe: 48.8 GiB with CPU Adam, 90.6 without, of 74.4. */
    @Test
    void plansTheReferenceRecipeWithItsFigures() {
        Plan plan = plan(GpuRequests.glm47Flash());

        assertThat(plan.model().totalParameters()).isEqualTo(29_943_390_976L);
        assertThat(plan.model().mtpParameters()).isEqualTo(643_706_112L);
        assertThat(plan.training().layout()).isEqualTo(new Plan.TrainingLayout(1, 1, 1, 8, 1, 8));
        assertThat(plan.training().memory().gpuGiB()).isEqualTo(48.8);
        assertThat(plan.training().cpuAdam()).isTrue();
        assertThat(plan.rollout().engines()).isEqualTo(1);
        assertThat(plan.rollout().layout()).isEqualTo(new Plan.EngineLayout(8, 8, 1, 0));
        assertThat(plan.rollout().kvTokensPerRank()).isEqualTo(824_456);
        assertThat(choice(plan, "training.layout.cpuAdam").because()).contains("90.6 GiB", "74.4", "H01");
        assertThat(choice(plan, "training.layout.cpuAdam").rejected()).contains("83.6 GiB");
    }

    /** slime's run-glm4.7-30B-A3B-8gpus.sh; EAGLE as its commented lines have it. */
    @Test
    void writesTheArgumentsOfTheReferenceRecipe() {
        Plan plan = plan(GpuRequests.glm47Flash());

        assertThat(plan.training().args())
                .containsSequence("--expert-model-parallel-size", "8")
                .containsSequence("--recompute-granularity", "full")
                .contains("--optimizer-cpu-offload", "--overlap-cpu-optimizer-d2h-h2d")
                .contains("--use-precision-aware-optimizer", "--use-distributed-optimizer")
                .containsSequence("--moe-token-dispatcher-type", "alltoall");
        assertThat(plan.rollout().args())
                .containsSequence("--tp-size", "8")
                .containsSequence("--dp-size", "8")
                .contains("--enable-dp-attention", "--enable-dp-lm-head", "--enable-memory-saver")
                .containsSequence("--moe-dense-tp-size", "1")
                .containsSequence("--mem-fraction-static", "0.7")
                .containsSequence("--speculative-num-draft-tokens", "3");
        assertThat(plan.training().environment()).containsEntry("CUDA_DEVICE_MAX_CONNECTIONS", "1");
    }

    @Test
    void enginesOfTheReferenceRecipeTakeTheWorkersMemory() {
        Plan plan = plan(GpuRequests.glm47Flash());

        assertThat(plan.colocated()).isTrue();
        assertThat(plan.transport()).isEqualTo(Transport.TENSOR);
        assertThat(choice(plan, "weights.transport").because()).contains("open the worker's memory");
        assertThat(plan.rollout().args())
                .contains("--enable-memory-saver", "--enable-draft-weights-cpu-backup")
                .containsSequence("--cuda-graph-backend-prefill", "disabled");
        assertThat(plan.rollout().environment())
                .containsEntry("SGLANG_MEMORY_SAVER_CUDA_GRAPH", "true")
                .containsEntry("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:False");
        assertThat(plan.training().environment()).containsEntry("PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:False");
    }

    @Test
    void weightsGoFromGpuToGpuWhereEnginesHaveTheirOwn() {
        Plan plan = plan(GpuRequests.with("cluster.placement", "\"disaggregated\""));

        assertThat(plan.colocated()).isFalse();
        assertThat(plan.transport()).isEqualTo(Transport.NCCL);
        assertThat(plan.rollout().args()).doesNotContain("--enable-memory-saver");
    }

    @Test
    void weightsAreFilesWhereNcclWouldLeaveATrainedDraftBehind() {
        ObjectNode request = GpuRequests.with("cluster.placement", "\"disaggregated\"");
        GpuRequests.set(request, "training.mtp", "{\"train\": true}");

        Plan plan = plan(request);

        assertThat(plan.transport()).isEqualTo(Transport.DISK);
        assertThat(choice(plan, "weights.transport").rejected())
                .startsWith("nccl:")
                .contains("MTP layer");
    }

    @Test
    void handlesOfMemoryReachATrainedDraft() {
        assertThat(plan(GpuRequests.with("training.mtp", "{\"train\": true}")).transport())
                .isEqualTo(Transport.TENSOR);
    }

    @Test
    void weightsThatAreNotPublishedEachStepAreFiles() {
        Plan plan = plan(GpuRequests.with("weights.everySteps", "4"));

        assertThat(plan.transport()).isEqualTo(Transport.DISK);
        assertThat(choice(plan, "weights.transport").rejected()).contains("every step");
    }

    @Test
    void enginesWithPipelineStagesTakeFiles() {
        ObjectNode request = GpuRequests.with("rollout.layout", "{\"gpusPerEngine\": 8, \"pp\": 2}");
        GpuRequests.set(request, "rollout.speculation", "{\"algorithm\": \"none\"}");

        assertThat(plan(request).transport()).isEqualTo(Transport.DISK);
        GpuRequests.set(request, "weights.transport", "\"tensor\"");
        assertThat(problems(request))
                .extracting(Problem::message)
                .anyMatch(message -> message.contains("2 pipeline stages"));
    }

    @Test
    void samplesThatMayLagKeepPlacementAutoFromTurns() {
        ObjectNode request = GpuRequests.with("cluster.placement", "\"auto\"");
        GpuRequests.set(request, "rollout.maxPolicyLag", "1");

        assertThat(plan(request).colocated()).isFalse();
    }

    @Test
    void aRunThatTrainsNothingTakesNoTurns() {
        Plan plan = plan(GpuRequests.with("training.steps", "0"));

        assertThat(plan.colocated()).isFalse();
        assertThat(choice(plan, "weights.transport").because()).isEqualTo("no weights are sent");
    }

    @Test
    void asksEnginesWhoseSamplesAreReadWhileTheyGrowForWhatIsNewAlone() {
        assertThat(plan(GpuRequests.glm47Flash()).rollout().args()).doesNotContain("--incremental-streaming-output");
        assertThat(plan(GpuRequests.with("rollout.partialRollout", "\"continue\""))
                        .rollout()
                        .args())
                .contains("--incremental-streaming-output");
    }

    @Test
    void offersWaysOutForAnEngineThatRunsOutOfMemory() {
        Plan plan = plan(GpuRequests.glm47Flash());

        assertThat(plan.rollout().fallbacks()).hasSizeGreaterThanOrEqualTo(3);
        assertThat(plan.rollout().fallbacks().getLast().args()).doesNotContain("--speculative-algorithm");
    }

    @Test
    void givesAReasonForEveryChoiceAndTheNextBestLayouts() {
        Plan plan = plan(GpuRequests.glm47Flash());

        assertThat(plan.choices())
                .allSatisfy(choice -> assertThat(choice.because()).isNotBlank());
        assertThat(plan.alternatives())
                .hasSize(4)
                .allSatisfy(other -> assertThat(other.because()).isNotBlank());
        assertThat(plan.rejections()).extracting(Plan.Rejection::rule).contains("M02", "M03", "H01", "S04");
        assertThat(plan.prediction().low()).isLessThan(plan.prediction().stepSeconds());
        assertThat(plan.prediction().high()).isGreaterThan(plan.prediction().stepSeconds());
    }

    @Test
    void writesTheFieldsThatProgramsRead() {
        JsonNode document = PlanDocument.of(verdict(GpuRequests.glm47Flash()));

        assertThat(document.get("feasible").asBoolean()).isTrue();
        assertThat(document.at("/training/layout/ep").asInt()).isEqualTo(8);
        assertThat(document.at("/training/memory/hostGiBPerNode").isNumber()).isTrue();
        assertThat(document.at("/rollout/layout/redundantExperts").isInt()).isTrue();
        assertThat(document.at("/prediction/stepSeconds").isNumber()).isTrue();
        assertThat(document.at("/choices/0/because").isTextual()).isTrue();
        assertThat(document.get("problems").findValuesAsText("severity")).containsOnly("warning");
    }

    @Test
    void saysEverythingThatIsWrongAtOnce() {
        ObjectNode request = GpuRequests.with("training.layout", "{\"tp\": 8, \"pp\": 1, \"cp\": 1, \"ep\": 8}");
        GpuRequests.set(request, "rollout.layout", "{\"gpusPerEngine\": 8, \"dp\": 1, \"ep\": 1}");
        GpuRequests.set(request, "rollout.temperature", "0");
        GpuRequests.set(request, "training.megatron", "{\"lr-warmup-itters\": \"3\"}");
        GpuRequests.set(request, "cluster.environment", "{\"LD_PRELOAD\": \"/x.so\"}");

        List<Problem> problems = problems(request);

        assertThat(problems)
                .extracting(Problem::rule)
                .contains("rollout.greedy", "M03", "S04", "training.megatron", "cluster.environment");
        assertThat(problems)
                .filteredOn(problem -> problem.rule().equals("training.megatron"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("lr-warmup-iters"));
        assertThat(PlanDocument.of(verdict(request))
                        .at("/model/totalParameters")
                        .asLong())
                .isEqualTo(29_943_390_976L);
    }

    @Test
    void namesTheNearestGpu() {
        assertThat(problems(GpuRequests.with("cluster.gpu", "\"H10-80\"")))
                .filteredOn(problem -> problem.path().equals("cluster.gpu"))
                .singleElement()
                .satisfies(problem -> assertThat(problem.message()).contains("did you mean H100-80?"));
    }

    /** GLM-4.7-Flash's MTP layer is drafted with the right class only from SGLang 0.5.13. */
    @Test
    void dependsOnTheDeclaredVersionsWhatCanDraft() {
        ObjectNode request = GpuRequests.with("versions.sglang", "\"0.5.12\"");

        assertThat(problems(request)).extracting(Problem::rule).contains("S20");
    }

    private static Choice choice(Plan plan, String decision) {
        return plan.choices().stream()
                .filter(choice -> choice.decision().equals(decision))
                .findFirst()
                .orElseThrow();
    }

    private static Plan plan(ObjectNode request) {
        return switch (verdict(request)) {
            case Verdict.Feasible feasible -> feasible.plan();
            case Verdict.Infeasible infeasible ->
                throw new AssertionError(infeasible.problems().toString());
        };
    }

    private static List<Problem> problems(ObjectNode request) {
        return switch (verdict(request)) {
            case Verdict.Feasible feasible -> throw new AssertionError("feasible");
            case Verdict.Infeasible infeasible -> infeasible.problems();
        };
    }

    private static Verdict verdict(ObjectNode request) {
        return PlanDesk.check(RequestReader.read(request), GpuRequests::elsewhere);
    }
}
