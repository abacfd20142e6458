package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.DType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class InspectCommandTest {
    @TempDir
    private Path folder;

    @Test
    void showsAModelDirectoryWithLayersAndExpertsThatLookAlikeOnOneLine() {
        CommandOutcome outcome = CommandOutcome.of("inspect", CheckpointFixtures.HUGGING_FACE);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out())
                .contains("Hugging Face, glm4_moe_lite, bfloat16", "135: 3 F32 (96 B), 132 BF16 (868 kB)")
                .contains("config.json 1.02 kB", "{1,2}", "experts.{0..7}")
                .containsPattern("down_proj.weight +BF16 +\\[64, 40] +16 +81.9 kB");
        assertThat(outcome.err()).isEmpty();
    }

    @Test
    void theWholeTreeFoldsNothing() {
        CommandOutcome outcome = CommandOutcome.of("inspect", CheckpointFixtures.HUGGING_FACE, "--tree");

        assertThat(outcome.out()).doesNotContain("{").containsPattern("(?m)^ +7$|^ +7 ");
    }

    @Test
    void everythingIsEveryTensorByItsFullName() {
        CommandOutcome outcome = CommandOutcome.of("inspect", CheckpointFixtures.MEGATRON_020, "--all");

        assertThat(outcome.out())
                .contains("decoder.layers.2.mlp.experts.experts.linear_fc1.weight", "add_position_embedding=false")
                .containsPattern("common_state/shard_0_1 +item");
        assertThat(CommandOutcome.of("inspect", CheckpointFixtures.MEGATRON_020, "--all", "--tree")
                        .exitCode())
                .isEqualTo(ExitCode.USAGE);
    }

    /** Counts: README.md of the fixtures and reference/checkpoint key tables: 63 global tensors with the multi-token-prediction layer. */
    @ParameterizedTest
    @CsvSource({"torch_dist_mcore016slime_te_names, 77, common.pt", "torch_dist_mcore020_local, 78, __0_0.distcp"})
    void showsEitherDialectOfMegatron(String genuine, int items, String file) throws IOException {
        Path root = CheckpointFixtures.MEGATRON_016.resolveSibling(genuine);

        JsonNode json = CommandOutcome.of("inspect", root, "--json").json();

        assertThat(json.path("format").asText()).isEqualTo("torch_dist");
        assertThat(json.path("iteration").asText()).isEqualTo("release");
        assertThat(json.path("path").asText()).endsWith("release");
        assertThat(json.path("tensors")).hasSize(63);
        assertThat(json.path("itemCount").asInt()).isEqualTo(items);
        assertThat(json.at("/totals/types/F32/tensors").asInt()).isEqualTo(3);
        assertThat(json.at("/arguments/num_layers").asInt()).isEqualTo(3);
        assertThat(json.path("files").findValuesAsText("name")).contains(file, ".metadata");
        assertThat(json.path("problems")).isEmpty();
        assertThat(CommandOutcome.of("inspect", root.resolve("release")).out())
                .contains("Megatron torch_dist", "release", "num_layers=3", items + " without tensors");
    }

    @Test
    void asJsonAModelDirectoryCarriesItsConfiguration() throws IOException {
        JsonNode json = CommandOutcome.of("inspect", CheckpointFixtures.HUGGING_FACE, "--json")
                .json();

        assertThat(json.path("modelType").asText()).isEqualTo("glm4_moe_lite");
        assertThat(json.at("/config/vocab_size").asInt()).isEqualTo(300);
        assertThat(json.at("/totals/tensors").asInt()).isEqualTo(135);
        assertThat(json.at("/tensors/0/name").asText()).isEqualTo("lm_head.weight");
        assertThat(json.at("/tensors/0/shape").toString()).isEqualTo("[300,64]");
        assertThat(json.at("/tensors/0/bytes").asLong()).isEqualTo(38_400);
    }

    /** Offsets: the fixtures' key table, whose shapes here are those of hf_tiny's config.json. */
    @Test
    void saysWhereEachTensorLiesInMegatronsFromItsConfigurationAlone() throws IOException {
        Files.copy(CheckpointFixtures.HUGGING_FACE.resolve("config.json"), folder.resolve("config.json"));

        CommandOutcome outcome = CommandOutcome.of("inspect", folder, "--tensors");
        JsonNode json =
                CommandOutcome.of("inspect", folder, "--tensors", "--json").json();

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out())
                .contains(
                        "model.layers.1.mlp.experts.3.up_proj.weight  [40, 64]",
                        "    decoder.layers.1.mlp.experts.experts.linear_fc1.weight [3:4, 40:80, 0:64]",
                        "model.layers.3.embed_tokens.weight  as model.embed_tokens.weight");
        assertThat(json.path("tensors")).hasSize(133);
        assertThat(json.path("copies")).hasSize(2);
        assertThat(CommandOutcome.of("inspect", folder.resolve("nothing"), "--tensors"))
                .returns(ExitCode.USAGE, CommandOutcome::exitCode)
                .extracting(CommandOutcome::err)
                .asString()
                .contains("config.json");
    }

    @Test
    void everyProblemOfADamagedDirectoryIsListed() throws IOException {
        Path damaged = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("damaged"));
        CheckpointFixtures.cutInHalf(damaged.resolve("model-00001-of-00002.safetensors"));
        Files.delete(damaged.resolve("model-00002-of-00002.safetensors"));

        CommandOutcome outcome = CommandOutcome.of("inspect", damaged);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err())
                .contains(
                        "model-00001-of-00002.safetensors is truncated", "model-00002-of-00002.safetensors is missing")
                .doesNotContain("Exception in", "\tat ");
        assertThat(CommandOutcome.of("inspect", damaged, "--json").json().path("problems"))
                .hasSize(2);
    }

    @Test
    void whatCanBeOpenedButLacksTensorsIsShownWithItsProblems() throws IOException {
        Files.copy(CheckpointFixtures.HUGGING_FACE.resolve("config.json"), folder.resolve("config.json"));
        CheckpointFixtures.safetensors(
                folder.resolve("model.safetensors"), CheckpointFixtures.bfloat16("model.norm.weight", 1, 2));

        CommandOutcome outcome = CommandOutcome.of("inspect", folder);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.out()).contains("model.norm.weight");
        assertThat(outcome.err()).contains("tensors that config.json calls for are missing");
    }

    @Test
    void aMegatronCheckpointThatIsTruncatedOrWouldRunCodeIsRefused() throws IOException {
        Path truncated = CheckpointFixtures.copy(CheckpointFixtures.MEGATRON_020, folder.resolve("truncated"));
        CheckpointFixtures.cutInHalf(truncated.resolve("release/__0_0.distcp"));
        Path foreign = CheckpointFixtures.copy(CheckpointFixtures.MEGATRON_020, folder.resolve("foreign"));
        // The pickle of os.system("true") in protocol 0.
        Files.writeString(
                foreign.resolve("release/.metadata"),
                "\u0080\u0002cposix\nsystem\nX\u0004\0\0\0true\u0085R.",
                java.nio.charset.StandardCharsets.ISO_8859_1);

        assertThat(CommandOutcome.of("inspect", truncated))
                .returns(ExitCode.USAGE, CommandOutcome::exitCode)
                .extracting(CommandOutcome::err)
                .asString()
                .contains("truncated or missing data files: __0_0.distcp");
        assertThat(CommandOutcome.of("inspect", foreign))
                .returns(ExitCode.USAGE, CommandOutcome::exitCode)
                .extracting(CommandOutcome::err)
                .asString()
                .contains("posix.system");
    }

    @Test
    void whatIsNoCheckpointIsSaidWithWhatIsThere() throws IOException {
        Files.writeString(folder.resolve("notes.txt"), "");

        assertThat(CommandOutcome.of("inspect", folder).err()).contains("is no checkpoint: it holds notes.txt");
        assertThat(CommandOutcome.of("inspect", folder.resolve("nothing")).exitCode())
                .isEqualTo(ExitCode.USAGE);
        assertThat(CommandOutcome.of("inspect").exitCode()).isEqualTo(ExitCode.USAGE);
    }

    @Test
    void controlCharactersInNamesDoNotReachTheTerminal() {
        Path file = CheckpointFixtures.safetensors(
                folder.resolve("x.safetensors"),
                CheckpointFixtures.bytes("evil\u001b[2Jname", DType.U8, List.of(1L), (byte) 1));

        assertThat(CommandOutcome.of("inspect", file).out())
                .contains("evil?[2Jname")
                .doesNotContain("\u001b");
    }
}
