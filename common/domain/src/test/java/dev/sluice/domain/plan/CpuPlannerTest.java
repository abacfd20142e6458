package dev.sluice.domain.plan;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.Models;
import dev.sluice.domain.plan.Planner.Planning;
import dev.sluice.domain.request.Requests;
import dev.sluice.events.Backend;
import dev.sluice.events.Plan;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class CpuPlannerTest {

    /** Flags as sglang's server_args.py spells them; slime's GLM-4.7-Flash recipe drafts 2 steps with 3 draft tokens. */
    @Test
    void givesEnginesTheFlagsOfSglang() {
        TrainingRequest request =
                Requests.complete(Requests.with("rollout.speculation", "{\"algorithm\": \"EAGLE\", \"steps\": 2}"));

        Plan plan = plan(request, Models.tiny());

        assertThat(plan.rollout().args())
                .containsExactly(
                        "--context-length",
                        "512",
                        "--max-running-requests",
                        "128",
                        "--random-seed",
                        "42",
                        "--speculative-algorithm",
                        "EAGLE",
                        "--speculative-num-steps",
                        "2",
                        "--speculative-eagle-topk",
                        "1",
                        "--speculative-num-draft-tokens",
                        "3",
                        "--skip-server-warmup",
                        "--enable-metrics");
        assertThat(plan.rollout().maxRunningRequests()).isEqualTo(128);
    }

    @Test
    void enginesAndWorkerTakeTurnsWhereTheRequestSaysSoAndWeightsAreFiles() {
        Plan usual = plan(Requests.complete(Requests.with("cluster.placement", "\"auto\"")), Models.tiny());
        Plan turns = plan(Requests.complete(Requests.with("cluster.placement", "\"colocated\"")), Models.tiny());

        assertThat(usual.colocated()).isFalse();
        assertThat(turns.colocated()).isTrue();
        assertThat(turns.transport()).isEqualTo(TrainingRequest.Transport.DISK);
        assertThat(turns.choices())
                .filteredOn(choice -> choice.decision().equals("cluster.placement"))
                .singleElement()
                .satisfies(choice -> assertThat(choice.because()).contains("keep their memory"));
    }

    @Test
    void whatTrainsOrSamplesAloneTakesNoTurns() {
        ObjectNode sampling = Requests.with("cluster.placement", "\"colocated\"");
        sampling.withObject("/training").put("steps", 0);
        ObjectNode training = Requests.with("cluster.placement", "\"colocated\"");
        training.withObject("/algorithm").put("name", "sft");

        assertThat(plan(Requests.complete(sampling), Models.tiny()).colocated()).isFalse();
        assertThat(plan(Requests.complete(training), Models.tiny()).colocated()).isFalse();
    }

    @Test
    void startsTwoEnginesUnlessTheRequestSaysOtherwise() {
        assertThat(plan(Requests.complete(Requests.least()), Models.tiny())
                        .rollout()
                        .engines())
                .isEqualTo(2);
        assertThat(plan(Requests.complete(Requests.with("rollout.engines", "5")), Models.tiny())
                        .rollout()
                        .engines())
                .isEqualTo(5);
    }

    @Test
    void asksEnginesWhoseSamplesAreReadWhileTheyGrowForWhatIsNewAlone() {
        TrainingRequest request = Requests.complete(
                Requests.with("rollout", "{\"pauseMode\": \"in_place\", \"partialRollout\": \"continue\"}"));

        assertThat(plan(request, Models.tiny()).rollout().args()).contains("--incremental-streaming-output");
    }

    @Test
    void letsAWholeGroupRunAtOnce() {
        TrainingRequest request = Requests.complete(Requests.with("rollout.samplesPerPrompt", "200"));

        assertThat(plan(request, Models.tiny()).rollout().maxRunningRequests()).isEqualTo(200);
    }

    /** Values of scripts/models/glm4.7-30B-A3B.sh in slime. */
    @Test
    void derivesMegatronsArgumentsFromTheModel() {
        ObjectNode document = Requests.with("training.mtp.train", "true");

        List<String> args = plan(Requests.complete(document), Models.published("GLM-4.7-Flash"))
                .training()
                .args();

        assertThat(pairs(args))
                .contains(
                        "--num-layers 47",
                        "--hidden-size 2048",
                        "--ffn-hidden-size 10240",
                        "--num-attention-heads 20",
                        "--moe-layer-freq [0]*1+[1]*46",
                        "--num-experts 64",
                        "--moe-router-topk 4",
                        "--moe-ffn-hidden-size 1536",
                        "--moe-shared-expert-intermediate-size 1536",
                        "--moe-router-score-function sigmoid",
                        "--moe-router-topk-scaling-factor 1.8",
                        "--q-lora-rank 768",
                        "--kv-lora-rank 512",
                        "--qk-head-dim 192",
                        "--v-head-dim 256",
                        "--kv-channels 192",
                        "--qk-pos-emb-head-dim 64",
                        "--vocab-size 154880",
                        "--rotary-base 1000000",
                        "--make-vocab-size-divisible-by 64",
                        "--mtp-num-layers 1",
                        "--mtp-loss-scaling-factor 0.2");
        assertThat(args)
                .contains(
                        "--multi-latent-attention",
                        "--qk-layernorm",
                        "--swiglu",
                        "--disable-bias-linear",
                        "--untie-embeddings-and-output-weights",
                        "--moe-router-pre-softmax",
                        "--moe-router-enable-expert-bias",
                        "--moe-grouped-gemm",
                        "--no-rope-fusion");
    }

    /** 16 bytes for each of 29,943,390,976 trained parameters, 4 for each of 643,706,112 frozen ones: 448.6 GiB. */
    @Test
    void refusesAHostThatIsTooSmall() {
        TrainingRequest request = Requests.complete(Requests.with("cluster.hostMemoryGiB", "64"));

        Planning planning = Planner.of(Backend.CPU).plan(request, facts(Models.published("GLM-4.7-Flash")), List.of());

        assertThat(planning)
                .isInstanceOfSatisfying(
                        Planning.Refused.class,
                        refused -> assertThat(refused.problems())
                                .singleElement()
                                .satisfies(problem -> assertThat(problem.path()).isEqualTo("cluster.hostMemoryGiB")));
        assertThat(plan(Requests.complete(Requests.least()), Models.published("GLM-4.7-Flash"))
                        .training()
                        .memory()
                        .hostGiBPerNode())
                .isBetween(448.5, 448.7);
    }

    @Test
    void spreadsEnginesOverMoreNodesThanThereAreEngines() {
        ObjectNode two = Requests.with("rollout.engines", "1");
        ((ObjectNode) two.withObject("/cluster")).put("rolloutNodes", 2);

        Plan plan = plan(Requests.complete(two), Models.tiny());

        assertThat(pairs(plan.rollout().args())).contains("--tp-size 2", "--nnodes 2");
        assertThat(plan.rollout().nodesPerEngine()).isEqualTo(2);
        assertThat(plan(Requests.complete(Requests.with("cluster.rolloutNodes", "2")), Models.tiny())
                        .rollout()
                        .nodesPerEngine())
                .isEqualTo(1);
    }

    @Test
    void refusesNodesThatDoNotDivideOverTheEngines() {
        ObjectNode five = Requests.with("rollout.engines", "2");
        ((ObjectNode) five.withObject("/cluster")).put("rolloutNodes", 5);

        Planning planning = Planner.of(Backend.CPU).plan(Requests.complete(five), facts(Models.tiny()), List.of());

        assertThat(planning)
                .isInstanceOfSatisfying(
                        Planning.Refused.class,
                        refused -> assertThat(refused.problems())
                                .singleElement()
                                .satisfies(problem -> {
                                    assertThat(problem.message()).isEqualTo("5 nodes do not divide over 2 engines");
                                    assertThat(problem.mend()).contains("4 or 6", "rollout.engines to 5");
                                }));
    }

    @Test
    void givesEveryChoiceItsReason() {
        Plan plan = plan(Requests.complete(Requests.least()), Models.tiny());

        assertThat(plan.choices())
                .isNotEmpty()
                .allSatisfy(choice -> assertThat(choice.because()).isNotBlank());
        assertThat(plan.prediction()).isNull();
    }

    private static ModelFacts facts(ModelSpec model) {
        return new ModelFacts(model, 4, 0, null);
    }

    private static Plan plan(TrainingRequest request, ModelSpec model) {
        return switch (Planner.of(Backend.CPU).plan(request, facts(model), List.of())) {
            case Planning.Planned planned -> planned.plan();
            case Planning.Refused refused ->
                throw new AssertionError(refused.problems().toString());
        };
    }

    private static List<String> pairs(List<String> args) {
        List<String> pairs = new ArrayList<>();
        for (int i = 1; i < args.size(); i++) {
            pairs.add(args.get(i - 1) + " " + args.get(i));
        }
        return pairs;
    }
}
