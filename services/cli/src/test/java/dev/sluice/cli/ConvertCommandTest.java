package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.Conversion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertCommandTest {
    @TempDir
    private Path folder;

    private Path out() {
        return folder.resolve("out");
    }

    @Test
    void aModelDirectoryBecomesATorchDistCheckpoint() {
        CommandOutcome outcome = CommandOutcome.of("convert", CheckpointFixtures.HUGGING_FACE, out());

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out()).contains("out is written: 133 tensors, 792 kB in", "sluice verify");
        assertThat(CommandOutcome.of(
                                "verify",
                                out(),
                                CheckpointFixtures.MEGATRON_016,
                                "--config",
                                CheckpointFixtures.HUGGING_FACE)
                        .exitCode())
                .isEqualTo(ExitCode.OK);
    }

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void aGenuineMegatronCheckpointBecomesAModelDirectory(String genuine) throws IOException {
        Path root = CheckpointFixtures.MEGATRON_016.resolveSibling(genuine);

        CommandOutcome outcome = CommandOutcome.of(
                "convert",
                root,
                out(),
                "--config",
                CheckpointFixtures.HUGGING_FACE,
                "--shard-bytes",
                "400kB",
                "--json");

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        JsonNode json = outcome.json();
        assertThat(json.path("direction").asText()).isEqualTo("to_hugging_face");
        assertThat(json.path("tensors").asInt()).isEqualTo(135);
        assertThat(json.path("dryRun").asBoolean()).isFalse();
        assertThat(json.path("bytesPerSecond").asLong()).isPositive();
        assertThat(CheckpointFixtures.names(out()))
                .contains("config.json", "model-00001-of-00003.safetensors", "model.safetensors.index.json");
        assertThat(CommandOutcome.of("verify", out(), CheckpointFixtures.HUGGING_FACE)
                        .exitCode())
                .isEqualTo(ExitCode.OK);
    }

    @Test
    void aDryRunSaysWhatWouldBeWrittenAndWritesNothing() throws IOException {
        CommandOutcome outcome = CommandOutcome.of("convert", CheckpointFixtures.HUGGING_FACE, out(), "--dry-run");
        JsonNode json = CommandOutcome.of(
                        "convert",
                        CheckpointFixtures.MEGATRON_020,
                        out(),
                        "--config",
                        CheckpointFixtures.HUGGING_FACE,
                        "--dry-run",
                        "--json")
                .json();

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out())
                .contains("to Megatron torch_dist: ", "133 tensors, 792 kB", "on a disk with", "nothing was written");
        assertThat(json.path("possible").asBoolean()).isTrue();
        assertThat(json.path("tensors").asInt()).isEqualTo(135);
        assertThat(json.path("freeBytes").asLong())
                .isGreaterThan(json.path("diskBytes").asLong());
        assertThat(folder).isEmptyDirectory();
    }

    @Test
    void whatAConversionOfAnotherSourceLeftIsNamedAndGoesWhenThisOneIsDone() throws IOException {
        // Given
        assertThatThrownBy(() -> Conversion.toHuggingFace(
                        CheckpointFixtures.MEGATRON_016,
                        CheckpointFixtures.HUGGING_FACE,
                        out(),
                        100_000,
                        (done, total) -> {
                            if (done > total / 2) {
                                throw new IllegalStateException("given up");
                            }
                        }))
                .hasMessage("given up");
        Path left = folder.resolve(CheckpointFixtures.names(folder).getFirst());

        // When
        JsonNode dry = CommandOutcome.of("convert", CheckpointFixtures.HUGGING_FACE, out(), "--dry-run", "--json")
                .json();
        boolean leftAfterDryRun = Files.exists(left);
        CommandOutcome outcome = CommandOutcome.of("convert", CheckpointFixtures.HUGGING_FACE, out());

        // Then
        assertThat(dry.at("/unfinished/0/directory").asText()).isEqualTo(left.toString());
        assertThat(dry.at("/unfinished/0/bytes").asLong()).isPositive();
        assertThat(leftAfterDryRun).isTrue();
        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.err())
                .contains(left + " holds ", " of an unfinished conversion of another source", "rm -r '" + left + "'");
        assertThat(CheckpointFixtures.names(folder)).containsExactly("out");
    }

    /** A model of five layers whose configuration is all there is: the checkpoint has three. */
    @Test
    void namesThatWouldBeMissingAreListed() throws IOException {
        Path config = Files.createDirectory(folder.resolve("five"));
        String json = Files.readString(CheckpointFixtures.HUGGING_FACE.resolve("config.json"));
        Files.writeString(
                config.resolve("config.json"), json.replace("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 5"));
        CheckpointFixtures.safetensors(config.resolve("model.safetensors"), CheckpointFixtures.bfloat16("x", 1));

        CommandOutcome outcome =
                CommandOutcome.of("convert", CheckpointFixtures.MEGATRON_020, out(), "--config", config);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("tensors of the model are neither in", "model.layers.3.");
        JsonNode dry = CommandOutcome.of(
                        "convert", CheckpointFixtures.MEGATRON_020, out(), "--config", config, "--dry-run", "--json")
                .json();
        assertThat(dry.path("possible").asBoolean()).isFalse();
        assertThat(dry.path("missing").toString()).contains("model.layers.4.input_layernorm.weight");
        assertThat(out()).doesNotExist();
    }

    @Test
    void everyProblemOfTheSourceIsListedAndNothingIsWritten() throws IOException {
        Path damaged = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("damaged"));
        CheckpointFixtures.cutInHalf(damaged.resolve("model-00001-of-00002.safetensors"));
        Files.delete(damaged.resolve("model-00002-of-00002.safetensors"));

        CommandOutcome outcome = CommandOutcome.of("convert", damaged, out());

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err())
                .contains("00001-of-00002.safetensors is truncated", "00002-of-00002.safetensors is missing")
                .doesNotContain("\tat ");
        assertThat(CheckpointFixtures.names(folder)).containsExactly("damaged");
    }

    @Test
    void allThatIsWrongWithThePathsIsSaidAtOnce() throws IOException {
        Files.createDirectory(out());

        CommandOutcome outcome =
                CommandOutcome.of("convert", CheckpointFixtures.MEGATRON_016, out(), "--config", folder);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("out exists already and is not replaced", "has no config.json");
    }

    @Test
    void anExportNeedsTheModelThatTheTrainingStartedFrom() {
        CommandOutcome outcome = CommandOutcome.of("convert", CheckpointFixtures.MEGATRON_016, out());

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("give --config HF_DIR");
    }

    @Test
    void optionsOfTheOtherDirectionAndTargetsInsideTheSourceAreRefused() throws IOException {
        Path source = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("hf"));

        CommandOutcome outcome =
                CommandOutcome.of("convert", source, source.resolve("out"), "--config", source, "--shard-bytes", "5GB");

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("lies inside", "--config is for exports", "--shard-bytes is for exports");
        assertThat(CommandOutcome.of("convert", source, out(), "--shard-bytes", "many")
                        .err())
                .contains("no number of bytes such as 5GB");
        assertThat(CommandOutcome.of("convert", folder.resolve("none"), out()).exitCode())
                .isEqualTo(ExitCode.USAGE);
    }
}
