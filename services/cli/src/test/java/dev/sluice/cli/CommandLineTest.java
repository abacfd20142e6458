package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.sluice.events.Topics;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandLineTest {
    @TempDir
    private Path directory;

    private final StringWriter out = new StringWriter();
    private final StringWriter err = new StringWriter();

    @ParameterizedTest
    @ValueSource(
            strings = {
                "demo",
                "up",
                "run",
                "import",
                "status",
                "watch",
                "continue",
                "cancel",
                "topics",
                "convert",
                "inspect",
                "verify",
                "diff",
                "conformance",
                "doctor"
            })
    void everyCommandExplainsItselfAndKnowsJson(String command) {
        assertThat(execute(command, "--help")).isEqualTo(ExitCode.OK);

        assertThat(out.toString()).contains("Usage: sluice " + command, "--json", "--help");
    }

    @Test
    void anUnknownCommandOrOptionIsAUsageErrorWithASuggestion() {
        assertThat(execute("statsu")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("sluice status");

        assertThat(execute("demo", "--stpes", "3")).isEqualTo(ExitCode.USAGE);
        assertThat(execute("demo", "--steps", "many")).isEqualTo(ExitCode.USAGE);
        assertThat(execute("watch")).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void theHelpListsTheExitCodes() {
        execute("--help");

        assertThat(out.toString()).contains("130", "Ctrl-C");
    }

    @Test
    void topicsListsEveryTopicWithItsEvents() {
        assertThat(execute("topics")).isEqualTo(ExitCode.OK);

        for (Topics topic : Topics.values()) {
            assertThat(out.toString()).contains(topic.topicName());
            topic.events().forEach(event -> assertThat(out.toString()).contains(event.getSimpleName()));
        }
    }

    @Test
    void topicsAsJsonIsOneDocumentOnStdout() throws IOException {
        assertThat(execute("topics", "--json")).isEqualTo(ExitCode.OK);

        JsonNode topics = new ObjectMapper().readTree(out.toString());
        assertThat(topics).hasSize(Topics.values().length);
        assertThat(topics.get(0).path("name").asText()).isEqualTo("sluice.runs.requests.v1");
        assertThat(err.toString()).isEmpty();
    }

    @Test
    void anEventIsDescribedFieldByField() {
        assertThat(execute("topics", "--describe", "stepcompleted")).isEqualTo(ExitCode.OK);
        assertThat(out.toString()).contains("dev.sluice.StepCompleted.v1", "List<Integer>", "Tokens with gradient");

        assertThat(execute("topics", "--describe", "StepDone")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("there is no event StepDone", "StepCompleted");
    }

    @Test
    void withoutRunningServicesTheMessageSaysHowToStartThem() {
        assertThat(execute("status", "--work-dir", directory.toString())).isEqualTo(ExitCode.FAILED);

        assertThat(err.toString()).contains("no broker runs in " + directory, "sluice up");
    }

    @Test
    void aRequestThatCannotBeReadIsAUsageErrorBeforeAnythingIsAsked() throws IOException {
        Path request = Files.writeString(directory.resolve("request.yaml"), "[1, 2");

        assertThat(execute("run", request.toString(), "--work-dir", directory.toString()))
                .isEqualTo(ExitCode.USAGE);
        assertThat(execute("run", "missing.yaml")).isEqualTo(ExitCode.USAGE);
        assertThat(err.toString()).contains("request.yaml, line", "there is no file");
    }

    @Test
    void anAddressThatIsNoneIsAUsageError() {
        assertThat(execute("status", "--bootstrap", "kafka")).isEqualTo(ExitCode.USAGE);

        assertThat(err.toString()).contains("--bootstrap is kafka; give HOST:PORT");
    }

    @Test
    void tooManyRolloutInstancesAreAUsageError() {
        assertThat(execute("up", "--work-dir", directory.toString(), "--rollout", "65"))
                .isEqualTo(ExitCode.USAGE);

        assertThat(err.toString()).contains("1 to 64 rollout instances, not 65");
    }

    @Test
    void aReplayOfNoStepsIsAUsageError() {
        assertThat(execute("replay", "run-1", "--from", "5", "--to", "5")).isEqualTo(ExitCode.USAGE);
        assertThat(execute("replay", "run-1", "--from", "-1")).isEqualTo(ExitCode.USAGE);

        assertThat(err.toString())
                .contains("--from 5 --to 5: no step lies between them; give --to 6 or more")
                .contains("--from -1: give the last step that stays, or 0 for all");
    }

    @Test
    void promptsThatAreNotThereAreAUsageErrorBeforeAnythingIsStarted() {
        assertThat(execute("eval", directory.toString(), "--prompts", "missing.jsonl"))
                .isEqualTo(ExitCode.USAGE);

        assertThat(err.toString().lines()).singleElement().asString().contains("there is no file", "missing.jsonl");
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
