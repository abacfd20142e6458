package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.shell.Field;
import dev.sluice.domain.shell.Place;
import dev.sluice.domain.shell.Scripts;
import dev.sluice.domain.shell.ShellReader;
import dev.sluice.domain.shell.ShellScript;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ScriptImportTest {
    private static final List<String> ALL =
            List.of(SlimeScripts.ONE_NODE, SlimeScripts.TWO_NODES, SlimeScripts.ONE_ENGINE, SlimeScripts.HEAD);

    /** Expected: what GNU bash 5.2.15 passed to train.py with stubs for ray, nvidia-smi and ssh and BASE_DIR=/data. */
    @ParameterizedTest
    @ValueSource(strings = {"8gpus", "2nodes", "24gpus", "head"})
    void theLaunchLineHasTheArgumentsThatBashGivesIt(String script) {
        String name = "run-glm4.7-30B-A3B-%s.sh".formatted(script);
        var reading = ShellReader.read(
                new ShellScript(name, SlimeScripts.FOLDER, SlimeScripts.text(name)),
                Map.of("BASE_DIR", "/data"),
                SlimeScripts::sources);

        Launch launch = Launch.find(reading, new Place(name, 1), new Findings()).orElseThrow();

        assertThat(launch.arguments())
                .extracting(Field::text)
                .isEqualTo(Scripts.words(ScriptImportTest.class, name.replace(".sh", ".arguments.txt")));
    }

    /** Expected: slime's run-glm4.7-30B-A3B-8gpus.sh of commit a2b16da56, argument by argument. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "/name | run-glm4.7-30B-A3B-8gpus",
                "/backend | gpu",
                "/model/path | /root/GLM-4.7-Flash",
                "/cluster/placement | colocated",
                "/cluster/gpusPerNode | 8",
                "/cluster/trainNodes | 1",
                "/cluster/rolloutNodes | 1",
                "/cluster/environment/CUDA_DEVICE_MAX_CONNECTIONS | 1",
                "/data/prompts | /root/dapo-math-17k/dapo-math-17k.jsonl",
                "/data/promptKey | prompt",
                "/data/labelKey | label",
                "/data/applyChatTemplate | true",
                "/data/shuffle | true",
                "/data/seed | 42",
                "/reward/type | deepscaler",
                "/evaluation/0/name | aime",
                "/evaluation/0/prompts | /root/aime-2024/aime-2024.jsonl",
                "/evaluation/0/everySteps | 20",
                "/evaluation/0/samplesPerPrompt | 16",
                "/evaluation/0/maxResponseTokens | 16384",
                "/evaluation/0/temperature | 1.0",
                "/rollout/groupsPerStep | 32",
                "/rollout/samplesPerPrompt | 8",
                "/rollout/maxResponseTokens | 8192",
                "/rollout/temperature | 1.0",
                "/rollout/topP | 1.0",
                "/rollout/topK | -1",
                "/rollout/maxPolicyLag | 0",
                "/rollout/partialRollout | restart",
                "/rollout/redundantExperts | 0",
                "/rollout/speculation/algorithm | none",
                "/rollout/layout/gpusPerEngine | 8",
                "/rollout/layout/pp | 1",
                "/rollout/layout/dp | 8",
                "/rollout/layout/ep | 1",
                "/rollout/layout/memFractionStatic | 0.7",
                "/rollout/layout/cudaGraphMaxBatch | 16",
                "/rollout/layout/maxRunningRequests | 64",
                "/rollout/layout/a2aBackend | none",
                "/rollout/sglang/enable-dp-lm-head | true",
                "/rollout/sglang/moe-dense-tp-size | 1",
                "/algorithm/name | grpo",
                "/algorithm/clipLow | 0.2",
                "/algorithm/clipHigh | 0.28",
                "/algorithm/klLossCoefficient | 0.0",
                "/algorithm/entropyCoefficient | 0.0",
                "/algorithm/oldLogprobs | auto",
                "/algorithm/mismatchCorrection/type | none",
                "/algorithm/gamma | 1.0",
                "/algorithm/normaliseByStd | true",
                "/algorithm/lossNormaliser | sample",
                "/training/steps | 3000",
                "/training/optimizerStepsPerStep | 1",
                "/training/learningRate | 1.0E-6",
                "/training/weightDecay | 0.1",
                "/training/beta1 | 0.9",
                "/training/beta2 | 0.98",
                "/training/epsilon | 1.0E-8",
                "/training/maxGradNorm | 1.0",
                "/training/mtp/train | false",
                "/training/mtp/lossScale | 0.2",
                "/training/layout/tp | 1",
                "/training/layout/pp | 1",
                "/training/layout/cp | 1",
                "/training/layout/ep | 8",
                "/training/layout/etp | 1",
                "/training/layout/tokensPerGpu | 8192",
                "/training/batching/balanceData | true",
                "/training/batching/balanceByFlops | false",
                "/training/layout/recompute | full",
                "/training/layout/cpuAdam | 1.0",
                "/training/layout/precisionAware | true",
                "/training/layout/dispatcher | alltoall",
                "/weights/transport | auto",
                "/weights/everySteps | 1",
                "/checkpoints/everySteps | 20",
            })
    void theSingleNodeScriptIsMappedValueByValue(String path, String expected) {
        Imported imported = SlimeScripts.imported(SlimeScripts.ONE_NODE);

        assertThat(imported.failed()).isFalse();
        assertThat(imported.problems()).isEmpty();
        assertThat(imported.request().at(path).asText()).isEqualTo(expected);
    }

    /** Expected: slime's scripts of commits a2b16da56 (two nodes) and 624b824a8 (head), and its page's form for 24 GPUs. */
    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "2nodes | /cluster/trainNodes | 2",
                "2nodes | /cluster/rolloutNodes | 2",
                "2nodes | /cluster/environment/NCCL_IB_QPS_PER_CONNECTION | 8",
                "2nodes | /training/layout/tp | 4",
                "2nodes | /training/layout/pp | 2",
                "2nodes | /training/layout/cp | 2",
                "2nodes | /training/layout/lastStageLayers | 23",
                "2nodes | /training/layout/tokensPerGpu | 32768",
                "2nodes | /training/layout/dispatcher | flex",
                "2nodes | /rollout/speculation/algorithm | eagle",
                "2nodes | /rollout/speculation/steps | 2",
                "2nodes | /rollout/groupsPerStep | 128",
                "2nodes | /training/optimizerStepsPerStep | 1",
                "2nodes | /algorithm/clipHigh | 0.2",
                "2nodes | /model/path | /data/GLM-4.7-Flash",
                "head | /cluster/trainNodes | 1",
                "head | /training/layout/tp | 2",
                "head | /training/layout/ep | 8",
                "head | /training/mtp/train | true",
                "head | /rollout/speculation/steps | 3",
                "head | /rollout/layout/maxRunningRequests | 512",
                "head | /rollout/maxResponseTokens | 32768",
                "head | /evaluation/0/name | aime24",
                "head | /evaluation/0/samplesPerPrompt | 2",
                "head | /cluster/environment/NVSHMEM_DISABLE_NCCL | 1",
                "24gpus | /cluster/trainNodes | 3",
                "24gpus | /rollout/layout/gpusPerEngine | 24",
                "24gpus | /rollout/layout/ep | 24",
                "24gpus | /rollout/layout/dp | 3",
                "24gpus | /rollout/redundantExperts | 16",
            })
    void theOtherScriptsDifferWhereSlimeSaysSo(String script, String path, String expected) {
        Imported imported = SlimeScripts.imported("run-glm4.7-30B-A3B-%s.sh".formatted(script));

        assertThat(imported.failed()).isFalse();
        assertThat(imported.request().at(path).asText()).isEqualTo(expected);
    }

    @Test
    void everyImportedRequestIsACompleteRequest() {
        for (String script : ALL) {
            assertThat(RequestReader.read(SlimeScripts.imported(script).request()))
                    .as(script)
                    .isInstanceOf(RequestReader.Reading.Complete.class);
        }
    }

    @Test
    void aRemoteRewardWithItsKeyAndGroupsIsMapped() {
        Imported imported = SlimeScripts.changed(
                "--rm-type deepscaler",
                "--rm-type remote_rm --rm-url http://rewards:8090/r --reward-key score --group-rm");

        assertThat(imported.request().get("reward").toString())
                .isEqualTo(
                        "{\"type\":\"remote_rm\",\"key\":\"score\",\"url\":\"http://rewards:8090/r\",\"group\":true}");
    }

    @Test
    void theFlagsOfEachProgramStayAvailableForItsRules() {
        Imported imported = SlimeScripts.imported(SlimeScripts.HEAD);

        assertThat(imported.asynchronous()).isFalse();
        assertThat(imported.megatron().text("--hidden-size", "")).isEqualTo("2048");
        assertThat(imported.megatron().text("--moe-layer-freq", "")).isEqualTo("[0]*1+[1]*46");
        assertThat(imported.megatron().text("--moe-shared-expert-intermediate-size", ""))
                .isEqualTo("1536");
        assertThat(imported.megatron().has("--sequence-parallel")).isTrue();
        assertThat(imported.megatron().has("--mtp-num-layers")).isTrue();
        assertThat(imported.slime().text("--ref-load", "")).isEqualTo("/data/GLM-4.7-Flash_torch_dist/");
        assertThat(imported.slime().has("--use-kl-loss")).isTrue();
        assertThat(imported.sglang().text("--dp-size", "")).isEqualTo("8");
        assertThat(imported.sglang().text("--speculative-num-draft-tokens", "")).isEqualTo("4");
    }

    @Test
    void theModelFileMayBeMissingBecauseConfigJsonSaysTheSame() {
        Imported imported = SlimeScripts.changed("models/glm4.7-30B-A3B.sh", "models/qwen3-4B.sh");

        assertThat(imported.failed()).isFalse();
        assertThat(imported.megatron().has("--hidden-size")).isFalse();
        assertThat(imported.findings())
                .filteredOn(finding -> finding.message().contains("models/qwen3-4B.sh is not there"))
                .singleElement()
                .extracting(Finding::severity)
                .isEqualTo(Finding.Severity.NOTE);
    }

    @Test
    void separatePoolsAndTrainAsyncAreMapped() {
        String text = SlimeScripts.text(SlimeScripts.ONE_NODE)
                .replace("train.py", "train_async.py")
                .replace("--actor-num-gpus-per-node 8", "--actor-num-gpus-per-node 2")
                .replace("--colocate", "--rollout-num-gpus 4");

        Imported imported = SlimeScripts.imported("run.sh", text, Map.of());

        JsonNode cluster = imported.request().path("cluster");
        assertThat(imported.asynchronous()).isTrue();
        assertThat(imported.request().at("/rollout/maxPolicyLag").asInt()).isEqualTo(1);
        assertThat(cluster.path("placement").asText()).isEqualTo("disaggregated");
        assertThat(cluster.path("trainNodes").asInt()).isEqualTo(1);
        assertThat(cluster.path("trainGpus").asInt()).isEqualTo(2);
        assertThat(cluster.path("rolloutNodes").asInt()).isEqualTo(1);
        assertThat(cluster.path("rolloutGpus").asInt()).isEqualTo(4);
    }

    /** slime's: fixed micro-batches where samples are not packed, and --max-tokens-per-gpu counts for packing alone. */
    @Test
    void microBatchesAreFixedWhereTheScriptDoesNotPackByTokens() {
        Imported imported = SlimeScripts.changed("--use-dynamic-batch-size", "--micro-batch-size 2");

        JsonNode training = imported.request().path("training");
        assertThat(training.at("/batching/microBatchSize").asInt()).isEqualTo(2);
        assertThat(training.at("/layout/tokensPerGpu").isMissingNode()).isTrue();
        assertThat(imported.findings())
                .anySatisfy(finding -> assertThat(finding.message())
                        .isEqualTo("it has no effect without --use-dynamic-batch-size, as in slime"));
    }

    @ParameterizedTest
    @CsvSource({
        "--partial-rollout, continue, 1",
        "--partial-rollout --mask-offpolicy-in-partial-rollout, continue_masked, 1",
        "--mask-offpolicy-in-partial-rollout, restart, 0"
    })
    void unfinishedSamplesGoOnAndTheirOlderTokensAreMaskedAsTheScriptSays(String flags, String partial, int lag) {
        Imported imported = SlimeScripts.changed("--colocate", "--rollout-num-gpus 8 " + flags);

        assertThat(imported.failed()).isFalse();
        assertThat(imported.request().at("/rollout/partialRollout").asText()).isEqualTo(partial);
        assertThat(imported.request().at("/rollout/maxPolicyLag").asInt()).isEqualTo(lag);
    }

    @Test
    void whereEnginesAndTrainingTakeTurnsNothingIsSampledAhead() {
        Imported imported = SlimeScripts.with("   --partial-rollout --over-sampling-batch-size 64");

        assertThat(imported.request().at("/cluster/placement").asText()).isEqualTo("colocated");
        assertThat(imported.request().at("/rollout/partialRollout").asText()).isEqualTo("restart");
        assertThat(imported.request().at("/rollout/maxPolicyLag").asInt()).isZero();
        assertThat(imported.request().at("/rollout/oversample").asInt()).isPositive();
    }

    @ParameterizedTest
    @CsvSource({
        "'', auto",
        "--update-weight-transport nccl, auto",
        "--update-weight-transport disk, disk",
        "--update-weight-transport disk --update-weight-mode delta, disk_delta"
    })
    void weightsTravelAsTheScriptSaysOrAsThePlannerFindsBest(String flags, String transport) {
        Imported imported = SlimeScripts.changed("--colocate", "--rollout-num-gpus 8 " + flags);

        assertThat(imported.request().at("/weights/transport").asText()).isEqualTo(transport);
    }

    @Test
    void whatAScriptDoesNotSayComesFromTheSettings() {
        Imported imported = ScriptImport.read(
                new ShellScript("run.sh", SlimeScripts.FOLDER, SlimeScripts.text(SlimeScripts.ONE_NODE)),
                new ImportSettings("H200-141", 2048, "slime@2026-02-28", Map.of(), path -> OptionalInt.empty()),
                SlimeScripts::sources);

        assertThat(imported.request().at("/cluster/gpu").asText()).isEqualTo("H200-141");
        assertThat(imported.request().at("/cluster/hostMemoryGiB").asInt()).isEqualTo(2048);
        assertThat(imported.request().at("/versions/trainer").asText()).isEqualTo("slime@2026-02-28");
    }

    /** slime's and Megatron's own defaults, which differ from a request's. */
    @Test
    void defaultsAreThoseOfTheScriptsPrograms() {
        String text = SlimeScripts.text(SlimeScripts.ONE_NODE)
                .replaceAll(
                        "(?m)^ +--(n-samples-per-prompt|adam-beta2|weight-decay|expert-tensor-parallel-size|rollout-shuffle|input-key|rollout-num-gpus-per-engine).*$",
                        "")
                .replace("--tensor-model-parallel-size 1", "--tensor-model-parallel-size 2")
                .replace("--global-batch-size 256", "--global-batch-size 32");

        JsonNode request = SlimeScripts.imported("run.sh", text, Map.of()).request();

        assertThat(request.at("/rollout/samplesPerPrompt").asInt()).isEqualTo(1);
        assertThat(request.at("/training/beta2").asDouble()).isEqualTo(0.999);
        assertThat(request.at("/training/weightDecay").asDouble()).isEqualTo(0.01);
        assertThat(request.at("/training/layout/etp").asInt()).isEqualTo(2);
        assertThat(request.at("/data/shuffle").asBoolean(true)).isFalse();
        assertThat(request.at("/data/promptKey").asText()).isEqualTo("input");
        assertThat(request.at("/rollout/layout/gpusPerEngine").asInt()).isEqualTo(1);
    }

    @Test
    void flagsOfEarlierEnginesAndSecondNamesAreUnderstood() {
        Imported imported = SlimeScripts.with(
                "   --sglang-enable-ep-moe\n   --sglang-enable-deepep-moe --sglang-data-parallel-size 4 --sglang-cuda-graph-bs 1 2 $(seq 4 4 16)");

        JsonNode rollout = imported.request().path("rollout");
        assertThat(imported.failed()).isFalse();
        assertThat(rollout.at("/layout/ep").asInt()).isEqualTo(8);
        assertThat(rollout.at("/layout/a2aBackend").asText()).isEqualTo("deepep");
        assertThat(rollout.at("/layout/dp").asInt()).isEqualTo(4);
        assertThat(rollout.at("/sglang/cuda-graph-bs").asText()).isEqualTo("1 2 4 8 12 16");
    }

    @ParameterizedTest
    @CsvSource({
        "gspo, ''",
        "cispo, ''",
        "reinforce_plus_plus, --normalize-advantages --gamma 0.99",
        "reinforce_plus_plus_baseline, --normalize-advantages"
    })
    void slimesEstimatorsThatAreComputedAreTaken(String estimator, String flags) {
        Imported imported = SlimeScripts.changed(
                "--advantage-estimator grpo", "--advantage-estimator %s %s".formatted(estimator, flags));

        assertThat(imported.problems()).isEmpty();
        assertThat(imported.request().at("/algorithm/name").asText()).isEqualTo(estimator);
        assertThat(imported.request().at("/algorithm/whitenAdvantages").asBoolean())
                .isEqualTo(flags.contains("normalize"));
        assertThat(imported.request().at("/algorithm/gamma").asDouble(1)).isEqualTo(flags.contains("gamma") ? 0.99 : 1);
    }

    @Test
    void dualClipAndTruncatedImportanceSamplingAreMapped() {
        Imported imported = SlimeScripts.with("   --eps-clip-c 3 --use-tis --tis-clip 4 --tis-clip-low 0.5");

        assertThat(imported.problems()).isEmpty();
        JsonNode algorithm = imported.request().path("algorithm");
        assertThat(algorithm.path("dualClip").asDouble()).isEqualTo(3);
        assertThat(algorithm.at("/mismatchCorrection/type").asText()).isEqualTo("tis");
        assertThat(algorithm.at("/mismatchCorrection/low").asDouble()).isEqualTo(0.5);
        assertThat(algorithm.at("/mismatchCorrection/high").asDouble()).isEqualTo(4);
    }

    @Test
    void slimesOwnIcepopFunctionIsMapped() {
        Imported imported = SlimeScripts.with(
                "   --use-tis --custom-tis-function-path" + " slime.backends.megatron_utils.loss.icepop_function");

        assertThat(imported.problems()).isEmpty();
        assertThat(imported.request().at("/algorithm/mismatchCorrection/type").asText())
                .isEqualTo("icepop");
    }

    @Test
    void overSamplingAndSeveralOptimizerStepsAreMapped() {
        Imported imported = SlimeScripts.changed(
                "--global-batch-size 256", "--num-steps-per-rollout 4 --over-sampling-batch-size 48");

        assertThat(imported.failed()).isFalse();
        assertThat(imported.request().at("/rollout/oversample").asInt()).isEqualTo(16);
        assertThat(imported.request().at("/training/optimizerStepsPerStep").asInt())
                .isEqualTo(4);
    }

    @ParameterizedTest
    @CsvSource({
        "check_reward_nonzero_std, nonzero_std",
        "check_reward_nonzero_std_with_fallback, nonzero_std_with_fallback"
    })
    void slimesOwnDynamicFiltersAreMapped(String function, String filter) {
        Imported imported = SlimeScripts.with(
                "   --dynamic-sampling-filter-path" + " slime.rollout.filter_hub.dynamic_sampling_filters." + function);

        assertThat(imported.failed()).isFalse();
        assertThat(imported.request().at("/rollout/dynamicFilter").asText()).isEqualTo(filter);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            --use-kl-loss --kl-loss-coef 0.01                              | klLossCoefficient       | 0.01
            --use-kl-loss --kl-loss-coef 0.01 --kl-loss-type k1            | klType                  | k1
            --use-kl-loss --kl-loss-coef 0.01 --kl-loss-type low_var_kl    | klType                  | low_var_kl
            --use-kl-loss --kl-loss-coef 0.01 --use-unbiased-kl            | unbiasedKl              | true
            --advantage-estimator ppo --kl-coef 0.05                       | klRewardCoefficient     | 0.05
            --advantage-estimator ppo --lambd 0.95                         | lambda                  | 0.95
            --advantage-estimator ppo --value-clip 0.3                     | critic/valueClip        | 0.3
            --advantage-estimator ppo --num-critic-only-steps 4            | critic/onlySteps        | 4
            --use-opsm                                                     | opsmDelta               | 1.0E-4
            --use-opsm --opsm-delta 0.01                                   | opsmDelta               | 0.01
            --use-kl-loss --kl-loss-coef 0.01 --ref-update-interval 10     | referenceUpdateSteps    | 10
            --disable-rewards-normalization                                | normaliseRewards        | false
            --use-opd --opd-type megatron --opd-teacher-load /t            | distillation/teacher    | /t
            --use-opd --opd-type megatron --opd-teacher-load /t            | distillation/coefficient| 1.0
            """)
    void modelsBesideThePolicyAreMapped(String flags, String path, String value) {
        Imported imported = SlimeScripts.with("   " + flags);

        assertThat(imported.failed()).isFalse();
        assertThat(imported.request().at("/algorithm/" + path).asText()).isEqualTo(value);
    }

    /** The flags of slime's docs/en/advanced/on-policy-distillation.md. */
    @Test
    void aTeacherOnAServerIsAskedAtTheAddressOfSlimesRewardAndRewardsAreZero() {
        Imported imported = SlimeScripts.changed("--rm-type deepscaler", """
                --use-opd --opd-type sglang --opd-kl-coef 0.5 \\
                   --custom-rm-path slime.rollout.on_policy_distillation.reward_func \\
                   --custom-reward-post-process-path slime.rollout.on_policy_distillation.post_process_rewards \\
                   --rm-url http://teacher:13141/generate
                """.stripTrailing());

        assertThat(imported.failed()).as("%s", imported.findings()).isFalse();
        assertThat(imported.request().at("/algorithm/distillation").toString())
                .isEqualTo("{\"teacher\":\"http://teacher:13141\",\"coefficient\":0.5}");
        assertThat(imported.request().at("/reward/type").asText()).isEqualTo("zero");
        assertThat(imported.request().at("/reward/url").isMissingNode()).isTrue();
    }

    @Test
    void aDivergenceInRewardsThatSlimeIgnoresIsIgnoredAndSaid() {
        Imported imported = SlimeScripts.with("   --kl-coef 0.05");

        assertThat(imported.request().at("/algorithm/klRewardCoefficient").asDouble())
                .isZero();
        assertThat(imported.findings())
                .anySatisfy(finding -> assertThat(finding.message())
                        .isEqualTo("it has no effect on the advantages of grpo, as in slime"));
    }

    @Test
    void toolsTemplateVariablesAndStopsAreMapped() {
        Imported imported = SlimeScripts.with(
                "   --tool-key functions --apply-chat-template-kwargs '{\"enable_thinking\":false,\"effort\":\"high\",\"n\":\"3\"}'\n"
                        + "   --rollout-stop '</answer>' 'User:' --rollout-stop-token-ids 151329 151336");

        JsonNode data = imported.request().path("data");
        JsonNode rollout = imported.request().path("rollout");
        assertThat(imported.failed()).isFalse();
        assertThat(data.path("toolKey").asText()).isEqualTo("functions");
        assertThat(data.path("chatTemplateArguments"))
                .hasToString("{\"enable_thinking\":\"false\",\"effort\":\"high\",\"n\":\"\\\"3\\\"\"}");
        assertThat(rollout.path("stop")).hasToString("[\"</answer>\",\"User:\"]");
        assertThat(rollout.path("stopTokenIds")).hasToString("[151329,151336]");
    }
}
