package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.data.PromptRows;
import dev.sluice.domain.data.RowProblem;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.Models;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestRulesTest {
    private static final ModelSpec WITH_MTP = Models.tiny();

    /** One row a rule: what is changed in a request that keeps all of them, and what is said then. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            rollout.group-size        | rollout.samplesPerPrompt        | 1          | a group of 1 has no advantage
            rollout.greedy            | rollout.temperature             | 0          | at temperature 0
            rollout.context           | rollout.maxResponseTokens       | 510        | (10 bytes, about 3 tokens) and 510 response tokens exceed the model's 512
            rollout.redundant-experts | rollout.redundantExperts        | 8          | 8 extra expert slots
            algorithm.known           | algorithm.name                  | "gpro"     | no algorithm is called gpro; did you mean grpo?
            algorithm.coefficients    | algorithm.gamma                 | 0.9        | nothing is discounted by 0.9
            algorithm.reference       | algorithm.klRewardCoefficient   | 0.1        | grpo compares whole responses
            algorithm.critic          | algorithm.lambda                | 0.9        | grpo has no critic whose values 0.9 would weigh
            algorithm.critic          | algorithm.critic.onlySteps      | 3          | grpo has no critic to be trained alone
            training.mini-batches     | training.optimizerStepsPerStep  | 5          | 32 groups do not divide into 5 mini-batches; 2 would be left over
            training.layout           | training.layout                 | {"ep": 8}  | one process
            reward.known              | reward.type                     | "exakt"    | did you mean exact?
            reward.url                | reward.type                     | "ifbench"  | run `sluice-hooks --reward sluice_hooks.ifbench.reward`
            backend.instances         | backend                         | "gpu"      | none is alive
            data.prompts              | data.prompts                    | "/other"   | /other was not looked at
            """)
    void refusesWhatCannotRun(String rule, String path, String value, String message) {
        ObjectNode document = fine();
        Requests.set(document, path, value);

        List<Problem> problems = RequestRules.broken(Requests.complete(document), facts(WITH_MTP));

        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.rule()).isEqualTo(rule);
            assertThat(problem.message()).contains(message);
            assertThat(problem.mend()).isNotBlank();
        });
        assertThat(RequestRules.reject(problems)).isTrue();
    }

    @Test
    void refusesAChatTemplateThatTheModelLacksAndConversationsWithoutOne() {
        ObjectNode applied = fine();
        Requests.set(applied, "data.applyChatTemplate", "true");
        Facts untemplated = new Facts(new Facts.Model(List.of(), WITH_MTP, null, false), promptFiles(), 0);
        Facts conversations = new Facts(
                new Facts.Model(List.of(), WITH_MTP),
                Map.of("/p.jsonl", new Facts.PromptFile(null, new PromptRows.Summary(64, 0, List.of(), 10, 3))),
                0);

        List<Problem> lacking = RequestRules.broken(Requests.complete(applied), untemplated);
        List<Problem> without = RequestRules.broken(Requests.complete(fine()), conversations);

        assertThat(RequestRules.broken(Requests.complete(applied), conversations))
                .isEmpty();
        assertThat(lacking)
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .isEqualTo("the model has no chat template: neither chat_template.jinja nor chat_template in"
                                + " tokenizer_config.json"));
        assertThat(without)
                .singleElement()
                .satisfies(problem -> assertThat(problem.message())
                        .isEqualTo("3 prompts are lists of messages, which only a chat template makes a text of"));
        assertThat(RequestRules.reject(lacking) && RequestRules.reject(without)).isTrue();
    }

    /** What hinders a run here and now: a plan, perhaps for other machines, only mentions it. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            data.prompts        | data.prompts                | "/other"     | /other was not looked at
            """)
    void whatHindersARunIsAWarningInAPlan(String rule, String path, String value, String message) {
        ObjectNode document = fine();
        Requests.set(document, path, value);
        TrainingRequest request = Requests.complete(document);

        List<Problem> run = RequestRules.broken(request, facts(WITH_MTP));
        List<Problem> plan = RequestRules.broken(request, planned(facts(WITH_MTP)));

        assertThat(run).singleElement().isEqualTo(error(plan.getFirst()));
        assertThat(RequestRules.reject(run)).isTrue();
        assertThat(plan).singleElement().satisfies(problem -> {
            assertThat(problem.rule()).isEqualTo(rule);
            assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
            assertThat(problem.message()).contains(message);
        });
        assertThat(RequestRules.reject(plan)).isFalse();
    }

    /** What no machine could mend rejects a plan too. */
    @ParameterizedTest
    @CsvSource({
        "reward.type, \"exakt\"",
        "algorithm.name, \"gpro\"",
        "rollout.samplesPerPrompt, 1",
        "training.optimizerStepsPerStep, 5"
    })
    void whatIsWrongWhereverItRunsRejectsAPlanToo(String path, String value) {
        ObjectNode document = fine();
        Requests.set(document, path, value);

        assertThat(RequestRules.reject(RequestRules.broken(Requests.complete(document), planned(facts(WITH_MTP)))))
                .isTrue();
    }

    @Test
    void aPublishedModelThatIsNotHereIsPlannedForWithANote() {
        Facts.Model model = Facts.Model.notHere("/data/GLM-4.7-Flash", "/data/GLM-4.7-Flash is no directory");
        ObjectNode onGpus = fine();
        Requests.set(onGpus, "backend", "\"gpu\"");

        List<Problem> problems =
                RequestRules.broken(Requests.complete(onGpus), new Facts(model, null, promptFiles(), 1, Purpose.PLAN));

        assertThat(model.problems()).isEmpty();
        assertThat(model.spec()).isEqualTo(Models.published("GLM-4.7-Flash"));
        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.rule()).isEqualTo("model.checkpoint");
            assertThat(problem.severity()).isEqualTo(Problem.Severity.WARNING);
            assertThat(problem.message())
                    .isEqualTo("/data/GLM-4.7-Flash is no directory; the published configuration of that name is taken"
                            + " instead");
        });
    }

    @Test
    void aModelThatIsNotHereAndThatNobodyPublishedIsRefused() {
        Facts.Model model = Facts.Model.notHere("/data/my-model", "/data/my-model is no directory");

        assertThat(model.spec()).isNull();
        assertThat(RequestRules.broken(
                        Requests.complete(fine()), new Facts(model, null, promptFiles(), 1, Purpose.PLAN)))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.severity()).isEqualTo(Problem.Severity.ERROR);
                    assertThat(problem.message())
                            .isEqualTo("/data/my-model is no directory, and no published configuration has that name");
                });
    }

    @Test
    void aCopyForEnginesThatIsNotHereHindersARunOnly() {
        ObjectNode document = fine();
        Requests.set(document, "model.rolloutPath", "\"/data/my-copy\"");
        TrainingRequest request = Requests.complete(document);
        Facts run = new Facts(
                new Facts.Model(List.of(), WITH_MTP),
                Facts.Model.notHere("/data/my-copy", "/data/my-copy is no directory"),
                promptFiles(),
                0,
                Purpose.RUN);

        assertThat(RequestRules.broken(request, run))
                .singleElement()
                .satisfies(problem -> assertThat(problem.path()).isEqualTo("model.rolloutPath"));
        assertThat(RequestRules.reject(RequestRules.broken(request, run))).isTrue();
        assertThat(RequestRules.reject(RequestRules.broken(request, planned(run))))
                .isFalse();
    }

    @Test
    void aFileThatIsUsedTwiceIsRefusedOnce() {
        ObjectNode document = fine();
        Requests.set(document, "data.prompts", "\"/other\"");
        Requests.set(document, "evaluation", "[{\"name\": \"rows\", \"prompts\": \"/other\"}]");

        assertThat(RequestRules.broken(Requests.complete(document), facts(WITH_MTP)))
                .singleElement()
                .satisfies(problem -> assertThat(problem.path()).isEqualTo("data.prompts"));
    }

    @Test
    void keepsQuietAboutARequestThatCanRun() {
        assertThat(RequestRules.broken(Requests.complete(fine()), facts(WITH_MTP)))
                .isEmpty();
    }

    @Test
    void refusesToDraftOrTrainWithAnMtpLayerThatIsNotThere() {
        ObjectNode document = fine();
        Requests.set(document, "rollout.speculation.algorithm", "\"eagle\"");
        Requests.set(document, "training.mtp.train", "true");

        List<Problem> problems = RequestRules.broken(Requests.complete(document), facts(withoutMtp()));

        assertThat(problems).extracting(Problem::rule).containsExactly("rollout.speculation", "training.mtp");
    }

    @Test
    void refusesOnTheCpuBackendWhatItDoesNotCompute() {
        ObjectNode config = Models.tinyConfig();
        config.put("tie_word_embeddings", true);
        config.put("attention_bias", true);
        config.put("n_group", 8);
        config.put("topk_group", 4);
        config.putObject("rope_scaling").put("type", "yarn").put("factor", 4);
        config.put("num_nextn_predict_layers", 2);

        List<Problem> problems = RequestRules.broken(Requests.complete(fine()), facts(Models.read(config)));

        assertThat(problems).extracting(Problem::rule).containsOnly("model.cpu");
        assertThat(problems).extracting(Problem::path).containsOnly("model.path");
        assertThat(problems)
                .extracting(Problem::message)
                .containsExactly(
                        "tie_word_embeddings is true; this family has an output layer of its own",
                        "attention_bias is true; attention is computed without bias",
                        "RoPE scaling is not computed; remove rope_scaling",
                        "n_group and topk_group must be 1; routing over groups of experts is not computed",
                        "num_nextn_predict_layers is 2; 0 or 1 is supported");
    }

    @Test
    void refusesAnotherFamilyOnTheCpuBackendOnly() {
        Facts facts = new Facts(new Facts.Model(List.of(), Models.published("Qwen3-4B")), promptFiles(), 1);
        ObjectNode onGpus = fine();
        Requests.set(onGpus, "backend", "\"gpu\"");

        assertThat(RequestRules.broken(Requests.complete(fine()), facts))
                .extracting(Problem::message)
                .containsExactly("model_type is \"qwen3\"; supported is glm4_moe_lite");
        assertThat(RequestRules.broken(Requests.complete(onGpus), facts)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"grpo", "gspo", "cispo", "rloo", "reinforce_plus_plus", "reinforce_plus_plus_baseline"})
    void takesTheAlgorithmsThatAreComputed(String algorithm) {
        ObjectNode document = fine();
        Requests.set(document, "algorithm.name", "\"" + algorithm + "\"");

        assertThat(RequestRules.broken(Requests.complete(document), facts(WITH_MTP)))
                .isEmpty();
    }

    @Test
    void aGroupOfOneIsEnoughWhereGroupsAreNotCompared() {
        ObjectNode document = fine();
        Requests.set(document, "algorithm.name", "\"reinforce_plus_plus\"");
        Requests.set(document, "rollout.samplesPerPrompt", "1");

        assertThat(RequestRules.broken(Requests.complete(document), facts(WITH_MTP)))
                .isEmpty();
    }

    /** What an algorithm cannot use is said, not passed over. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            cispo                        | algorithm.dualClip           | 3     | algorithm.coefficients | cispo bounds the ratio itself
            reinforce_plus_plus          | algorithm.whitenAdvantages   | false | algorithm.coefficients | need whitening
            reinforce_plus_plus_baseline | algorithm.gamma              | 0.9   | algorithm.coefficients | nothing is discounted
            rloo                         | rollout.samplesPerPrompt     | 1     | rollout.group-size     | rloo compares the samples
            gspo                         | algorithm.mismatchCorrection | {"type": "tis", "low": 2, "high": 1} | algorithm.mismatch | no ratio lies between 2.0 and 1.0
            """)
    void refusesCoefficientsThatDoNotFitTheAlgorithm(
            String algorithm, String path, String value, String rule, String message) {
        ObjectNode document = fine();
        Requests.set(document, "algorithm.name", "\"" + algorithm + "\"");
        Requests.set(document, path, value);

        assertThat(RequestRules.broken(Requests.complete(document), facts(WITH_MTP)))
                .singleElement()
                .satisfies(problem -> {
                    assertThat(problem.rule()).isEqualTo(rule);
                    assertThat(problem.message()).contains(message);
                });
    }

    @Test
    void refusesToCorrectADifferenceThatIsNone() {
        ObjectNode document = fine();
        Requests.set(document, "algorithm.mismatchCorrection.type", "\"icepop\"");
        Requests.set(document, "algorithm.oldLogprobs", "\"rollout\"");

        assertThat(RequestRules.broken(Requests.complete(document), facts(WITH_MTP)))
                .extracting(Problem::rule)
                .containsExactly("algorithm.mismatch");
    }

    @Test
    void refusesTheCurrentPolicyAsTheOldOneForSeveralOptimizerSteps() {
        ObjectNode document = fine();
        Requests.set(document, "algorithm.oldLogprobs", "\"current\"");
        Requests.set(document, "training.optimizerStepsPerStep", "2");

        assertThat(RequestRules.broken(Requests.complete(document), facts(WITH_MTP)))
                .extracting(Problem::rule)
                .containsExactly("algorithm.old-logprobs");
    }

    @Test
    void refusesBrokenRowsUnlessTheyAreToBeSkipped() {
        var broken = new PromptRows.Summary(40, 2, List.of(new RowProblem(7, 0, "not JSON")), 10);
        Facts facts = new Facts(
                new Facts.Model(List.of(), WITH_MTP), Map.of("/p.jsonl", new Facts.PromptFile(null, broken)), 0);

        List<Problem> refused = RequestRules.broken(Requests.complete(fine()), facts);
        ObjectNode skipping = fine();
        Requests.set(skipping, "data.badRows", "\"skip\"");
        List<Problem> skipped = RequestRules.broken(Requests.complete(skipping), facts);

        assertThat(refused.getFirst().message()).isEqualTo("/p.jsonl, line 7: not JSON");
        assertThat(RequestRules.reject(refused)).isTrue();
        assertThat(refused.getLast().message()).isEqualTo("/p.jsonl has 1 more broken lines");
        assertThat(RequestRules.reject(skipped)).isFalse();
    }

    @Test
    void refusesAnUnusableCheckpointWithEachOfItsProblems() {
        Facts facts = new Facts(new Facts.Model(List.of("one", "two"), null), promptFiles(), 0);

        assertThat(RequestRules.broken(Requests.complete(fine()), facts))
                .extracting(Problem::message)
                .containsExactly("one", "two");
    }

    @Test
    void warnsWhenAPromptCouldBeTooLong() {
        ObjectNode document = Requests.with("rollout.maxResponseTokens", "505");

        List<Problem> problems = RequestRules.broken(Requests.complete(document), facts(WITH_MTP));

        assertThat(problems).singleElement().extracting(Problem::severity).isEqualTo(Problem.Severity.WARNING);
    }

    @Test
    void everyRuleHasAnIdOfItsOwnAndSaysWhatMustHold() {
        assertThat(RequestRules.ALL).extracting(RequestRule::id).doesNotHaveDuplicates();
        assertThat(RequestRules.ALL).extracting(RequestRule::about).noneMatch(String::isBlank);
    }

    /** A request that keeps all rules with these facts. */
    private static ObjectNode fine() {
        return Requests.with("rollout.maxResponseTokens", "8");
    }

    private static Facts facts(ModelSpec model) {
        return new Facts(new Facts.Model(List.of(), model), promptFiles(), 0);
    }

    private static Facts planned(Facts run) {
        return new Facts(run.model(), run.rolloutModel(), run.promptFiles(), run.gpuInstances(), Purpose.PLAN);
    }

    private static Problem error(Problem warning) {
        return Problem.error(warning.rule(), warning.path(), warning.message(), warning.mend());
    }

    private static Map<String, Facts.PromptFile> promptFiles() {
        return Map.of("/p.jsonl", new Facts.PromptFile(null, new PromptRows.Summary(64, 0, List.of(), 10)));
    }

    private static ModelSpec withoutMtp() {
        return Models.read(Models.tinyConfig().put("num_nextn_predict_layers", 0));
    }
}
