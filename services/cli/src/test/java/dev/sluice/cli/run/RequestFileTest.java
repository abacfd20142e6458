package dev.sluice.cli.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RequestFileTest {
    @TempDir
    private Path directory;

    @Test
    void pathsInARequestAreRelativeToItsFile() throws IOException {
        Path file = write("""
                model: {path: model}
                data: {prompts: ../train.jsonl}
                evaluation:
                  - {name: held-out, prompts: /data/test.jsonl}
                """);

        ObjectNode request = RequestFile.read(file, List.of());

        assertThat(request.at("/model/path").asText())
                .isEqualTo(directory.resolve("model").toString());
        assertThat(request.at("/data/prompts").asText())
                .isEqualTo(directory.getParent().resolve("train.jsonl").toString());
        assertThat(request.at("/evaluation/0/prompts").asText()).isEqualTo("/data/test.jsonl");
    }

    @Test
    void settingsReplaceAndAddValuesWithTheirYamlTypes() throws IOException {
        Path file = write("training: {steps: 100}\nevaluation: [{name: a}]\n");

        ObjectNode request = RequestFile.read(
                file,
                List.of(
                        "training.steps=4",
                        "rollout.speculation.algorithm=EAGLE",
                        "evaluation.0.everySteps=2",
                        "name=x y"));

        assertThat(request.at("/training/steps").isInt()).isTrue();
        assertThat(request.at("/training/steps").asInt()).isEqualTo(4);
        assertThat(request.at("/rollout/speculation/algorithm").asText()).isEqualTo("EAGLE");
        assertThat(request.at("/evaluation/0/everySteps").asInt()).isEqualTo(2);
        assertThat(request.at("/name").asText()).isEqualTo("x y");
    }

    @Test
    void aSettingForAPlaceThatIsNotThereIsRefused() throws IOException {
        Path file = write("evaluation: [{name: a}]\n");

        assertThatThrownBy(() -> RequestFile.read(file, List.of("evaluation.1.name=b")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("\"1\" is no place in a list of 1");
        assertThatThrownBy(() -> RequestFile.read(file, List.of("steps")))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("--set takes key=value");
    }

    @Test
    void brokenYamlIsAnErrorThatNamesTheLine() throws IOException {
        Path file = write("training:\n  steps: [1\n");

        assertThatThrownBy(() -> RequestFile.read(file, List.of()))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("request.yaml, line");
    }

    @Test
    void keysThatComeTwiceAndDocumentsTooDeepAreRefused() throws IOException {
        Path twice = write("name: a\nname: b\n");
        assertThatThrownBy(() -> RequestFile.read(twice, List.of()))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("name");

        Path deep = write("a: " + "[".repeat(40) + "]".repeat(40) + "\n");
        assertThatThrownBy(() -> RequestFile.read(deep, List.of())).isInstanceOf(CommandFailure.class);
    }

    @Test
    void aFileThatIsMissingOrNoDocumentOfKeysIsRefused() throws IOException {
        assertThatThrownBy(() -> RequestFile.read(directory.resolve("none.yaml"), List.of()))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("there is no file");
        Path list = write("- a\n");
        assertThatThrownBy(() -> RequestFile.read(list, List.of()))
                .isInstanceOf(CommandFailure.class)
                .hasMessageContaining("no document of keys");
    }

    @Test
    void aRequestThatIsWrittenIsReadAsItWas() throws IOException {
        ObjectNode request = RequestFile.read(write("""
                        name: "no"
                        model: {path: "/models/a: b #c"}
                        training: {learningRate: 1.0e-6, megatron: {text: "010", number: 8, long: "%s"}}
                        evaluation: [{name: "1"}, {name: "~"}]
                        """.formatted("1 2 ".repeat(100))), List.of());
        Path copy = directory.resolve("copy.yaml");

        RequestFile.write(copy, request);

        assertThat(RequestFile.read(copy, List.of())).isEqualTo(request);
    }

    private Path write(String yaml) throws IOException {
        return Files.writeString(directory.resolve("request.yaml"), yaml);
    }
}
