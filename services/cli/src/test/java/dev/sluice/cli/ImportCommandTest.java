package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.run.RequestFile;
import dev.sluice.domain.request.RequestReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ImportCommandTest {
    private static final String SCRIPT = """
            SCRIPT_DIR="$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)"
            source "${SCRIPT_DIR}/models/qwen3-4B.sh"
            ROLLOUT_ARGS=(
               --hf-checkpoint $BASE_DIR/Qwen3-4B
               --prompt-data $BASE_DIR/prompts.jsonl --rm-type deepscaler
               --num-rollout 3000 --rollout-batch-size 32 --n-samples-per-prompt 8
               --rollout-max-response-len 8192 --global-batch-size 256
            )
            python3 train.py --colocate ${MODEL_ARGS[@]} ${ROLLOUT_ARGS[@]} \\
               --tensor-model-parallel-size 2 --lr-decay-style constant --attention-dropout 0 --hidden-dropout 0
            """;

    private static final Path SCRIPTS =
            Path.of(System.getProperty("sluice.root"), "common/domain/src/test/resources/dev/sluice/domain/slime");

    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @BeforeEach
    void writeScripts() throws IOException {
        Files.createDirectories(directory.resolve("slime/scripts/models"));
        Files.writeString(directory.resolve("slime/scripts/models/qwen3-4B.sh"), "MODEL_ARGS=(--num-layers 36)\n");
        Files.writeString(script(), SCRIPT);
    }

    @Test
    void theRequestGoesToStdoutAndWhatWasFoundToStderr() throws IOException {
        assertThat(execute("import", script().toString(), "--env", "BASE_DIR=/data"))
                .isEqualTo(ExitCode.OK);

        ObjectNode request =
                RequestFile.read(Files.writeString(directory.resolve("out.yaml"), out.toString()), List.of());
        assertThat(request.at("/model/path").asText()).isEqualTo("/data/Qwen3-4B");
        assertThat(RequestReader.read(request)).isInstanceOf(RequestReader.Reading.Complete.class);
        assertThat(err.toString()).contains("notes:", "run.sh:9", "give --gpu").doesNotContain("models/qwen3-4B.sh");
    }

    /** slime's create_rollout_manager: rows by --rollout-batch-size, rounded down, times --num-epoch. */
    @Test
    void epochsBecomeStepsWhereThePromptsCanBeCounted() throws IOException {
        Files.writeString(script(), SCRIPT.replace("--num-rollout 3000", "--num-epoch 3"));
        Files.writeString(
                directory.resolve("prompts.jsonl"),
                "{\"prompt\": \"1+1=\", \"label\": \"2\"}\n".repeat(100) + "{oops\n");

        int code = execute("import", script().toString(), "--env", "BASE_DIR=" + directory, "--no-plan");

        assertThat(code).as(err.toString()).isEqualTo(ExitCode.OK);
        assertThat(RequestFile.read(Files.writeString(directory.resolve("out.yaml"), out.toString()), List.of())
                        .at("/training/steps")
                        .asInt())
                .isEqualTo(9);
        assertThat(err.toString()).contains("100 rows in batches of 32 are 3 steps an epoch, 9 in all");
    }

    @Test
    void epochsOfPromptsThatAreElsewhereAreRefusedWithWhatToGive() throws IOException {
        Files.writeString(script(), SCRIPT.replace("--num-rollout 3000", "--num-epoch 3"));

        assertThat(execute("import", script().toString(), "--env", "BASE_DIR=/data", "--no-plan"))
                .isEqualTo(ExitCode.USAGE);

        assertThat(err.toString())
                .contains("the rows of /data/prompts.jsonl cannot be counted from here", "give --num-rollout");
    }

    /** slime's scripts for GLM-4.7-Flash: what Megatron and SGLang would refuse after minutes is refused at once. */
    @ParameterizedTest
    @CsvSource({
        "8gpus,  0, ''",
        "2nodes, 0, ''",
        "24gpus, 2, S04 S06 S10",
        "head,   2, M02",
    })
    void slimesOwnScriptsArePlannedOrRejected(String script, int code, String rules) throws IOException {
        Path file = SCRIPTS.resolve("run-glm4.7-30B-A3B-%s.sh".formatted(script));

        assertThat(execute("import", file.toString(), "--env", "BASE_DIR=/root", "--json"))
                .isEqualTo(code);

        JsonNode problems = new ObjectMapper().readTree(out.toString()).at("/plan/problems");
        assertThat(StreamSupport.stream(problems.spliterator(), false)
                        .filter(problem -> problem.get("severity").asText().equals("error"))
                        .map(problem -> problem.get("rule").asText()))
                .containsExactlyInAnyOrder(rules.isEmpty() ? new String[0] : rules.split(" "));
    }

    @Test
    void aProblemOfThePlanIsToldWithTheScriptsLine() {
        Path file = SCRIPTS.resolve("run-glm4.7-30B-A3B-head.sh");

        execute(
                "import",
                file.toString(),
                "--env",
                "BASE_DIR=/root",
                "-o",
                directory.resolve("x.yaml").toString());

        assertThat(out.toString()).contains("run-glm4.7-30B-A3B-head.sh:64: training.layout.ep (M02)");
    }

    @Test
    void aFileIsWrittenWholeAndNotOverwrittenWithoutForce() throws IOException {
        Path request = directory.resolve("request.yaml");
        String[] command = {"import", script().toString(), "--env", "BASE_DIR=/data", "-o", request.toString()};

        assertThat(execute(command)).isEqualTo(ExitCode.OK);
        assertThat(RequestFile.read(request, List.of())
                        .at("/training/layout/tp")
                        .asInt())
                .isEqualTo(2);
        assertThat(out.toString()).contains("request.yaml is written", "can run");

        Files.writeString(request, "mine");
        assertThat(execute(command)).isEqualTo(ExitCode.USAGE);
        assertThat(request).hasContent("mine");
        assertThat(err.toString()).contains("request.yaml exists; give --force");

        assertThat(execute(
                        Stream.concat(Stream.of(command), Stream.of("--force")).toArray(String[]::new)))
                .isEqualTo(ExitCode.OK);
        assertThat(request).content().contains("groupsPerStep: 32");
        try (Stream<Path> files = Files.list(directory)) {
            assertThat(files.map(Path::getFileName).map(Path::toString))
                    .containsExactlyInAnyOrder("slime", "request.yaml");
        }
    }

    @Test
    void withErrorsNothingIsWrittenAndAllAreShownInGroups() throws IOException {
        Files.writeString(script(), SCRIPT.replace("--rollout-batch-size", "--rollout-bach-size") + "# end");
        Path request = directory.resolve("request.yaml");

        assertThat(execute("import", script().toString(), "-o", request.toString()))
                .isEqualTo(ExitCode.USAGE);

        assertThat(request).doesNotExist();
        assertThat(out.toString()).isEmpty();
        assertThat(err.toString())
                .contains(
                        "unknown flags:\n  error run.sh:6  --rollout-bach-size: ",
                        "did you mean --rollout-batch-size?",
                        "give it with --env BASE_DIR=VALUE",
                        "missing:\n  error run.sh:9  --rollout-batch-size: ",
                        "is no request yet (3 errors",
                        "nothing was written");
    }

    @Test
    void asJsonItIsOneDocumentWithRequestAndFindings() throws IOException {
        assertThat(execute("import", script().toString(), "--env", "BASE_DIR=/data", "--gpu", "h200-141", "--json"))
                .isEqualTo(ExitCode.OK);

        JsonNode json = new ObjectMapper().readTree(out.toString());
        assertThat(json.at("/request/cluster/gpu").asText()).isEqualTo("H200-141");
        assertThat(json.path("findings")).isNotEmpty().allSatisfy(finding -> {
            assertThat(finding.path("line").asInt()).isPositive();
            assertThat(finding.path("severity").asText()).isIn("note", "warning");
        });
    }

    @Test
    void onlyFilesBesideTheScriptAndSlimesModelsAreSourced() throws IOException {
        Files.writeString(directory.resolve("secret.sh"), "MODEL_ARGS=(--num-layers 1 --secret)\n");
        Path examples = Files.createDirectories(directory.resolve("slime/examples/one"));
        Path link = examples.resolve("link.sh");
        Files.createSymbolicLink(link, directory.resolve("secret.sh"));
        Path example = examples.resolve("run.sh");
        Files.writeString(
                example,
                "source ../../../secret.sh\nsource link.sh\nsource ../../scripts/models/qwen3-4B.sh\n"
                        + SCRIPT.lines().skip(2).reduce("", (text, line) -> text + line + "\n"));

        assertThat(execute("import", example.toString(), "--env", "BASE_DIR=/data"))
                .isEqualTo(ExitCode.OK);

        assertThat(err.toString())
                .contains("secret.sh is not there, or lies outside", "link.sh is not there, or lies outside")
                .doesNotContain("--secret", "qwen3-4B.sh is not there");
    }

    @Test
    void whatCannotBeReadOrIsNoSettingIsAUsageError() throws IOException {
        Path large = Files.write(directory.resolve("large.sh"), new byte[10 << 20]);

        assertThat(execute("import", "none.sh")).isEqualTo(ExitCode.USAGE);
        assertThat(execute("import", large.toString())).isEqualTo(ExitCode.USAGE);
        assertThat(execute("import", script().toString(), "--gpu", "H100-8")).isEqualTo(ExitCode.USAGE);
        assertThat(execute("import", script().toString(), "--env", "BASE_DIR")).isEqualTo(ExitCode.USAGE);

        assertThat(err.toString())
                .contains(
                        "there is no file",
                        "large.sh has 10,485,760 bytes; a launch script has at most 1,048,576",
                        "no GPU is called H100-8; did you mean H100-80?",
                        "--env takes NAME=VALUE");
    }

    private Path script() {
        return directory.resolve("slime/scripts/run.sh");
    }

    private int execute(String... arguments) {
        PrintWriter outWriter = new PrintWriter(out, true);
        PrintWriter errWriter = new PrintWriter(err, true);
        return Main.commandLine(new Terminal(outWriter, errWriter, false))
                .setOut(outWriter)
                .setErr(errWriter)
                .execute(arguments);
    }
}
