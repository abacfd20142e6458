package dev.sluice.domain.request;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.events.EventJson;
import dev.sluice.events.Problem;
import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.SpeculationAlgorithm;
import dev.sluice.events.TrainingRequest;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RequestReaderTest {

    /**
     * Learning rate, clip distances, betas, gradient norm, temperature, top-p and top-k, and the data seed are slime's:
     * its arguments.py and scripts/run-glm4.7-30B-A3B.sh.
     */
    @Test
    void fillsInWhatIsLeftOut() {
        TrainingRequest request = Requests.complete(Requests.least());

        assertThat(request.training().learningRate()).isEqualTo(1e-6);
        assertThat(request.training().weightDecay()).isEqualTo(0.1);
        assertThat(request.training().beta1()).isEqualTo(0.9);
        assertThat(request.training().beta2()).isEqualTo(0.98);
        assertThat(request.training().epsilon()).isEqualTo(1e-8);
        assertThat(request.training().maxGradNorm()).isEqualTo(1.0);
        assertThat(request.training().mtp()).isEqualTo(new TrainingRequest.Mtp(false, 0.2));
        assertThat(request.algorithm().clipLow()).isEqualTo(0.2);
        assertThat(request.algorithm().clipHigh()).isEqualTo(0.28);
        assertThat(request.rollout().temperature()).isEqualTo(1.0);
        assertThat(request.rollout().topP()).isEqualTo(1.0);
        assertThat(request.rollout().topK()).isEqualTo(-1);
        assertThat(request.rollout().groupsPerStep()).isEqualTo(32);
        assertThat(request.rollout().samplesPerPrompt()).isEqualTo(8);
        assertThat(request.data().seed()).isEqualTo(42);
        assertThat(request.checkpoints())
                .isEqualTo(
                        new TrainingRequest.Checkpoints(20, 3, 0, 0, false, TrainingRequest.FullDisk.CONTINUE, null));
    }

    @Test
    void measuresAHeldOutSetAsItTrainsWhereItSaysNothingElse() {
        ObjectNode document = Requests.with("rollout.maxResponseTokens", "77");
        Requests.set(document, "evaluation", "[{\"name\": \"held\", \"prompts\": \"/h\"}]");

        TrainingRequest request = Requests.complete(document);

        assertThat(request.evaluation()).containsExactly(new TrainingRequest.Evaluation("held", "/h", 0, 1, 77, 1.0));
    }

    @Test
    void readsStopsAndVariablesOfTheChatTemplate() {
        ObjectNode document = Requests.with("rollout.stop", "[\"\\n\\n\", \"User:\"]");
        Requests.set(document, "rollout.stopTokenIds", "[7, 151336]");
        Requests.set(document, "data.chatTemplateArguments", "{\"enable_thinking\": false, \"effort\": \"high\"}");

        TrainingRequest request = Requests.complete(document);

        assertThat(request.rollout().stop()).containsExactly("\n\n", "User:");
        assertThat(request.rollout().stopTokenIds()).containsExactly(7, 151336);
        assertThat(request.data().toolKey()).isEqualTo("tools");
        assertThat(request.data().chatTemplateArguments())
                .isEqualTo(Map.of("enable_thinking", "false", "effort", "high"));
    }

    @Test
    void refusesStopsThatAreNone() {
        ObjectNode document = Requests.with("rollout.stop", "[\"\"]");
        Requests.set(document, "rollout.stopTokenIds", "[-1, 1.5]");

        assertThat(Requests.problems(document))
                .extracting(Problem::path)
                .containsExactlyInAnyOrder("rollout.stop[0]", "rollout.stopTokenIds[0]", "rollout.stopTokenIds[1]");
    }

    @Test
    void namesEverythingThatHasNoDefault() {
        List<Problem> problems = Requests.problems(Requests.tree("{}"));

        assertThat(problems).extracting(Problem::rule).containsOnly("request.missing");
        assertThat(problems)
                .extracting(Problem::path)
                .containsExactly("backend", "model.path", "data.prompts", "training.steps");
    }

    @Test
    void tellsAllProblemsAtOnce() {
        ObjectNode document = Requests.tree("""
                {"backend": "tpu", "modle": {}, "model": {"path": 3}, "data": {"prompts": "/p", "promptkey": "q"},
                 "rollout": {"groupsPerStep": 0, "speculation": {"algorithm": "EAGEL"}, "topP": "most", "dynamicFilter": "nonzero_sdt"},
                 "training": {"steps": 2.5, "beta1": 1}, "evaluation": [{"name": "a"}], "weights": []}
                """);

        List<Problem> problems = Requests.problems(document);

        assertThat(problems)
                .extracting(Problem::path)
                .containsExactlyInAnyOrder(
                        "backend",
                        "modle",
                        "model.path",
                        "data.promptkey",
                        "rollout.groupsPerStep",
                        "rollout.speculation.algorithm",
                        "rollout.topP",
                        "rollout.dynamicFilter",
                        "training.steps",
                        "training.beta1",
                        "evaluation[0].prompts",
                        "weights");
        assertThat(message(problems, "modle")).isEqualTo("unknown key modle; did you mean model?");
        assertThat(message(problems, "data.promptkey")).endsWith("did you mean promptKey?");
        assertThat(message(problems, "rollout.speculation.algorithm")).endsWith("did you mean eagle?");
        assertThat(message(problems, "rollout.dynamicFilter")).endsWith("did you mean nonzero_std?");
    }

    @ParameterizedTest
    @CsvSource({
        "rollout.temperature, -0.1, give at least 0 and at most 100",
        "rollout.topK, -2, give at least -1",
        "rollout.topP, 0, give above 0 and at most 1",
        "training.learningRate, -1e-9, give at least 0 and at most 1000",
        "training.epsilon, 0, give above 0 and at most 1000000000",
        "training.steps, -1, give at least 0 and at most 10000000",
        "training.layout.tp, 0, give at least 1",
        "checkpoints.keepLast, 0, give at least 1 and at most 10000",
        "rollout.groupsPerStep, 99999999999, give a whole number"
    })
    void refusesNumbersOutOfBounds(String path, String value, String mend) {
        List<Problem> problems = Requests.problems(Requests.with(path, value));

        assertThat(problems).singleElement().satisfies(problem -> {
            assertThat(problem.path()).isEqualTo(path);
            assertThat(problem.mend()).isEqualTo(mend);
        });
    }

    @Test
    void takesALearningRateOfZeroForAControlRun() {
        assertThat(Requests.complete(Requests.with("training.learningRate", "0"))
                        .training()
                        .learningRate())
                .isZero();
    }

    /** YAML 1.1 resolves 1e-6, which has no dot, as text. */
    @Test
    void readsANumberThatYamlTookForText() {
        assertThat(Requests.complete(Requests.with("training.learningRate", "\"5e-4\""))
                        .training()
                        .learningRate())
                .isEqualTo(5e-4);
    }

    @Test
    void leavesTheLayoutToThePlannerWhenItSaysAuto() {
        assertThat(Requests.complete(Requests.with("training.layout", "\"auto\""))
                        .training()
                        .layout())
                .isEqualTo(TrainingRequest.Layout.AUTO);
    }

    @Test
    void takesAKeyWithoutAValueForAbsent() {
        ObjectNode document = Requests.with("cluster.gpu", "null");
        Requests.set(document, "data.promptKey", "null");

        assertThat(Requests.complete(document).data().promptKey()).isEqualTo("prompt");
    }

    @Test
    void readsChoicesInAnyCase() {
        assertThat(Requests.complete(Requests.with("rollout.speculation", "{\"algorithm\": \"EAGLE\"}"))
                        .rollout()
                        .speculation())
                .isEqualTo(new Rollout.Speculation(SpeculationAlgorithm.EAGLE, 2, 0.6));
    }

    @Test
    void hashesWhatIsMeantAndNotHowItIsWritten() {
        ObjectNode written = EventJson.mapper().valueToTree(Requests.complete(Requests.least()));
        ObjectNode spelledOut = Requests.with("training.learningRate", "0.000001");

        assertThat(sha256(written)).isEqualTo(sha256(Requests.least()));
        assertThat(sha256(spelledOut)).isEqualTo(sha256(Requests.least()));
        assertThat(sha256(Requests.with("training.steps", "11"))).isNotEqualTo(sha256(Requests.least()));
    }

    @Test
    void keepsTheRestOfARefusedRequestForTheRulesAndTellsNothingTwice() {
        ObjectNode document = Requests.tree("""
                {"backend": "cpu", "model": {"path": "/m"}, "data": {}, "rollout": {"samplesPerPrompts": 4},
                 "algorithm": {"name": "ppo"}}
                """);

        Reading.Refused refused = (Reading.Refused) RequestReader.read(document);
        List<Problem> all = refused.with(List.of(
                Problem.error("algorithm.known", "algorithm.name", "not supported", "set it to grpo"),
                Problem.error("data.prompts", "data.prompts", "the stand-in is no file", "give one"),
                Problem.warning("data.few-prompts", "data.seed", "odd", "do not")));

        assertThat(refused.rest().model().path()).isEqualTo("/m");
        assertThat(all)
                .extracting(Problem::path)
                .containsExactly("rollout.samplesPerPrompts", "data.prompts", "training.steps", "algorithm.name");
        assertThat(all).extracting(Problem::rule).doesNotContain("data.prompts", "data.few-prompts");
    }

    @Test
    void refusesWhatIsNoDocument() {
        assertThat(Requests.problems(EventJson.mapper().createArrayNode()))
                .singleElement()
                .extracting(Problem::rule)
                .isEqualTo("request.type");
    }

    @Test
    void boundsWhatAHostileDocumentMakesItSay() {
        ObjectNode document = Requests.least();
        for (int i = 0; i < 10_000; i++) {
            document.put("x".repeat(1000) + i, i);
        }

        assertThat(Requests.problems(document)).hasSizeLessThanOrEqualTo(100);
    }

    private static String sha256(ObjectNode document) {
        return ((Reading.Complete) RequestReader.read(document)).sha256();
    }

    private static String message(List<Problem> problems, String path) {
        return problems.stream()
                .filter(problem -> problem.path().equals(path))
                .findFirst()
                .orElseThrow()
                .message();
    }
}
