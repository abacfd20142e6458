package dev.sluice.domain.slime;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.shell.Place;
import dev.sluice.domain.shell.ShellScript;
import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;
import dev.sluice.events.Problem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScriptFindingsTest {
    @Test
    void aMisspeltFlagIsNamedWithItsLineAndTheNearestKnownOne() {
        Imported imported = SlimeScripts.changed("--rollout-batch-size 32", "--rollout-bach-size 32");

        Finding unknown = only(imported, Kind.UNKNOWN);
        assertThat(unknown.flag()).isEqualTo("--rollout-bach-size");
        assertThat(unknown.place()).isEqualTo(new Place("run.sh", 44));
        assertThat(unknown.message()).contains("so slime would ignore it; did you mean --rollout-batch-size?");
        assertThat(unknown.mend()).isEqualTo("write --rollout-batch-size, or remove it");
        assertThat(only(imported, Kind.MISSING).flag()).isEqualTo("--rollout-batch-size");
    }

    @ParameterizedTest
    @CsvSource({
        "--sglang-mem-fraction-statics 0.5, --sglang-mem-fraction-static",
        "--tensor-model-parallel-sizes 2, --tensor-model-parallel-size",
        "--overlap_grad_reduce, --overlap-grad-reduce",
    })
    void aMisspeltFlagOfAnyProgramIsNamed(String flag, String nearest) {
        assertThat(only(SlimeScripts.with(flag), Kind.UNKNOWN).message()).contains("did you mean " + nearest + "?");
    }

    @Test
    void everythingIsFoundAtOnceWithFileAndLine() {
        String text = SlimeScripts.text(SlimeScripts.ONE_NODE)
                .replace("--rollout-batch-size 32", "--rollout-bach-size 32")
                .replace("--lr 1e-6", "--lr fast")
                .replace("/root/GLM-4.7-Flash\n", "$MODELS/GLM-4.7-Flash\n")
                .replace("--use-kl-loss", "--use-routing-replay")
                .replace("--prompt-data /root/dapo-math-17k/dapo-math-17k.jsonl", "--prompt-data")
                .replace("--save-interval 20", "--save-interval $(cat interval)")
                .replace("--attention-dropout 0.0", "--attention-dropout 0.1");

        Imported imported = SlimeScripts.imported("run.sh", text, Map.of());

        assertThat(imported.findings().stream().filter(finding -> finding.severity() == Severity.ERROR))
                .extracting(finding -> "%s %s %s".formatted(finding.ruleId(), finding.place(), finding.flag()))
                .containsExactlyInAnyOrder(
                        "import.unknown-flag run.sh:44 --rollout-bach-size",
                        "import.value run.sh:89 --lr",
                        "import.value run.sh:27 --hf-checkpoint",
                        "import.unsupported run.sh:79 --use-routing-replay",
                        "import.value run.sh:35 --prompt-data",
                        "import.value run.sh:31 --save-interval",
                        "import.unsupported run.sh:133 --attention-dropout",
                        "import.missing run.sh:153 --prompt-data",
                        "import.missing run.sh:153 --rollout-batch-size");
    }

    @Test
    void aFindingInTheModelFileNamesThatFile() {
        Imported imported = ScriptImport.read(
                new ShellScript("run.sh", SlimeScripts.FOLDER, SlimeScripts.text(SlimeScripts.ONE_NODE)),
                ImportSettings.NONE,
                path -> SlimeScripts.sources(path).map(text -> text.replace("--q-lora-rank", "--q-lora-rang")));

        assertThat(only(imported, Kind.UNKNOWN).place()).isEqualTo(new Place("models/glm4.7-30B-A3B.sh", 44));
    }

    @Test
    void anUnsetVariableIsOneFindingThatSaysHowToGiveIt() {
        Imported imported = SlimeScripts.imported(SlimeScripts.HEAD, SlimeScripts.text(SlimeScripts.HEAD), Map.of());

        Finding unset = only(imported, Kind.VALUE);
        assertThat(unset.message())
                .isEqualTo("${BASE_DIR}/GLM-4.7-Flash: BASE_DIR is set nowhere in the script (also --prompt-data,"
                        + " --eval-prompt-data)");
        assertThat(unset.mend()).isEqualTo("give it with --env BASE_DIR=VALUE");
    }

    @Test
    void nothingInAScriptIsRun(@TempDir Path folder) {
        Path mark = folder.resolve("mark");

        Imported imported = SlimeScripts.with("   --seed $(touch %1$s; echo 1)\n   --lr `touch %1$s`".formatted(mark));

        assertThat(Files.exists(mark)).isFalse();
        assertThat(only(imported, Kind.VALUE).flag()).isEqualTo("--lr");
    }

    /** A launch line without its backslash is a mistake that slime's own run-kimi-k2-Thinking.sh has had. */
    @Test
    void aLaunchLineThatEndsTooEarlyIsFoundAndReadOnAllTheSame() {
        Imported imported = SlimeScripts.changed("--colocate \\", "--colocate");

        Finding lost = only(imported, Kind.SYNTAX);
        assertThat(lost.place()).isEqualTo(new Place("run.sh", 159));
        assertThat(lost.mend()).isEqualTo("end the line before it with a backslash");
        assertThat(imported.problems()).hasSize(1);
        assertThat(imported.request().at("/rollout/groupsPerStep").asInt()).isEqualTo(32);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--accumulate | ```--accumulate | backquote",
                "${MISC_ARGS[@]} | \"${MISC_ARGS[@]} | double quote",
                "WANDB_ARGS=( | WANDB_ARGS=(( | \"(\" is not expected",
            })
    void aScriptThatIsNotClosedIsAnErrorOfTheScriptAlone(String what, String by, String message) {
        Imported imported = SlimeScripts.changed(what, by);

        assertThat(imported.failed()).isTrue();
        Finding first = imported.findings().getFirst();
        assertThat(first.kind()).isEqualTo(Kind.SYNTAX);
        assertThat(first.message()).contains(message);
        assertThat(imported.findings()).noneMatch(finding -> finding.kind() == Kind.MISSING);
    }

    @Test
    void aScriptOfTenMegabytesIsRefusedAndSaysSo() {
        Imported imported = SlimeScripts.imported("run.sh", "# a line\n".repeat(1 << 20), Map.of());

        assertThat(imported.failed()).isTrue();
        assertThat(imported.findings())
                .singleElement()
                .extracting(Finding::message)
                .asString()
                .contains("9,437,184 characters; at most 1,048,576 are read");
    }

    @Test
    void aScriptThatStartsNoTrainingOrTwoIsRefused() {
        String launch = "python3 train.py --colocate\n";

        Imported none = SlimeScripts.imported("run.sh", "MODEL_ARGS=(--num-layers 4)\n", Map.of());
        Imported two = SlimeScripts.imported("run.sh", launch + launch, Map.of());

        assertThat(none.findings().getFirst().message()).contains("starts no training");
        assertThat(two.findings().getFirst().message()).contains("starts training 2 times, first in line 1");
    }

    @Test
    void groupsThatDoNotDivideAreTheRuleR01() {
        Imported imported = SlimeScripts.changed("--global-batch-size 256", "--global-batch-size 96");

        assertThat(imported.problems())
                .containsExactly(Problem.error(
                        "R01",
                        "--global-batch-size",
                        "run.sh:49: 256 samples of a step are not a multiple of the global batch 96; 64 of them would be dropped",
                        "set it to 128"));
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--use-opd --opd-type sglang --rm-url http://t:1/generate --opd-teacher-load /t | ERROR | megatron alone",
                "--custom-rm-path slime.rollout.on_policy_distillation.reward_func | ERROR | belongs to --use-opd",
                "--custom-rm-path my.reward | ERROR | no Python function",
                "--loss-type custom_loss | ERROR | policy loss or sft_loss",
                "--debug-train-only | ERROR | recorded samples are not read",
                "--lr-warmup-iters 10 | ERROR | constant from the first step",
                "--use-rollout-routing-replay | ERROR | experts are chosen anew",
                "--use-tis --custom-tis-function-path my.mis | ERROR | has icepop_function",
                "--use-wandb | WARNING | not at Weights & Biases",
                "--eval-tool-key functions | WARNING | under the key of training",
                "--sglang-tp-size 8 | WARNING | slime sets it itself",
                "--partial-rollout | WARNING | begun anew",
                "--dynamic-sampling-filter-path my.filter | ERROR | no Python function",
                "--rollout-function-path slime.rollout.fully_async_rollout.generate_rollout_fully_async | WARNING | maxPolicyLag",
            })
    void whatARequestCannotSayIsAnErrorWhereItWouldTrainSomethingElse(String flags, Severity severity, String why) {
        Finding unsupported = only(SlimeScripts.with("   " + flags), Kind.UNSUPPORTED);

        assertThat(unsupported.severity()).isEqualTo(severity);
        assertThat(unsupported.message()).contains(why);
        assertThat(unsupported.place()).isEqualTo(new Place("run.sh", 134));
    }

    @ParameterizedTest
    @CsvSource({
        "--kl-coef 0.00",
        "--gamma 1",
        "--log-probs-chunk-size -1",
        "--lr-warmup-fraction 0.0",
        "--router-policy round_robin"
    })
    void aFlagAtTheValueThatItHasAnywayIsNoProblem(String flag) {
        assertThat(SlimeScripts.with("   " + flag).problems()).isEmpty();
    }

    @Test
    void dropoutThatMegatronWouldTakeByItselfIsAWarning() {
        Imported imported = SlimeScripts.changed("   --hidden-dropout 0.0\n", "");

        assertThat(only(imported, Kind.UNSUPPORTED).message()).contains("slime would take 0.1; here dropout is 0");
    }

    @Test
    void ofAFlagThatIsGivenTwiceTheLastCounts() {
        Imported imported = SlimeScripts.with("   --sglang-mem-fraction-static 0.6");

        assertThat(imported.request().at("/rollout/layout/memFractionStatic").asDouble())
                .isEqualTo(0.6);
        assertThat(imported.findings())
                .extracting(Finding::message)
                .contains("it is given twice; 0.6 counts, and 0.7 of run.sh:109 does not");
    }

    @Test
    void flagsUnderAConditionThatIsNotKnownAreReadWithAWarning() {
        Imported imported = SlimeScripts.changed(
                "export MASTER_ADDR=",
                "if test -f /etc/two; then MISC_ARGS+=(--sglang-enable-eplb); fi\nexport MASTER_ADDR=");

        Finding doubtful = only(imported, Kind.SYNTAX);
        assertThat(doubtful.severity()).isEqualTo(Severity.WARNING);
        assertThat(doubtful.flag()).isEqualTo("--sglang-enable-eplb");
        assertThat(imported.request().at("/rollout/sglang/enable-eplb").asBoolean())
                .isTrue();
    }

    @Test
    void promptsThatAreNoWholeJsonlFileAreRefused() {
        Imported sliced = SlimeScripts.changed("dapo-math-17k.jsonl", "dapo-math-17k.jsonl@[0:100]");
        Imported parquet = SlimeScripts.changed("dapo-math-17k.jsonl", "dapo-math-17k.parquet");

        assertThat(List.of(only(sliced, Kind.UNSUPPORTED), only(parquet, Kind.UNSUPPORTED)))
                .extracting(Finding::severity)
                .containsOnly(Severity.ERROR);
    }

    @Test
    void environmentVariablesThatNothingPassesOnAreTold() {
        Imported imported = SlimeScripts.changed("\\\"CUDA_DEVICE_MAX_CONNECTIONS\\\"", "\\\"MY_TOKEN\\\"");

        assertThat(only(imported, Kind.UNSUPPORTED).message()).startsWith("MY_TOKEN has no place in a request");
        assertThat(imported.environment()).isEmpty();
    }

    @Test
    void aTeacherOnAServerNeedsItsAddress() {
        Finding missing = only(SlimeScripts.with("   --use-opd --opd-type sglang"), Kind.MISSING);

        assertThat(missing.flag()).isEqualTo("--rm-url");
        assertThat(missing.mend()).contains("http://HOST:PORT/generate");
    }

    private static Finding only(Imported imported, Kind kind) {
        List<Finding> found = imported.findings().stream()
                .filter(finding -> finding.kind() == kind)
                .toList();
        assertThat(found).hasSize(1);
        return found.getFirst();
    }
}
