package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.DType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DiffCommandTest {
    @TempDir
    private Path folder;

    /** By hand: |(0, 0, 0, 2)| = 2, |(1, 2, 3, 4)| = sqrt(30); |(-0.5, 0.25)| over |(3, 4)| = 5. */
    @Test
    void measuresByHowMuchEachTensorChanged() throws IOException {
        Path before = CheckpointFixtures.safetensors(
                folder.resolve("a.safetensors"),
                CheckpointFixtures.float32("much", 1, 2, 3, 4),
                CheckpointFixtures.bfloat16("little", 3, 4),
                CheckpointFixtures.float32("same", 1),
                CheckpointFixtures.float32("gone", 1));
        Path after = CheckpointFixtures.safetensors(
                folder.resolve("b.safetensors"),
                CheckpointFixtures.float32("much", 1, 2, 3, 6),
                CheckpointFixtures.float32("little", 2.5, 4.25),
                CheckpointFixtures.float32("same", 1),
                CheckpointFixtures.float32("new", 1));

        CommandOutcome outcome = CommandOutcome.of("diff", before, after, "--top", 1);
        JsonNode json = CommandOutcome.of("diff", before, after, "--json").json();

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out())
                .contains("2 of 3 tensors in common changed")
                .containsPattern("0.365 +2.00 +0.500 +25.00 % +much")
                .contains("and 1 that changed less", "only in A: gone", "only in B: new");
        JsonNode much = json.at("/changes/0");
        assertThat(much.path("name").asText()).isEqualTo("much");
        assertThat(much.path("relativeL2").asDouble()).isCloseTo(2 / Math.sqrt(30), within(1e-12));
        assertThat(much.path("meanAbs").asDouble()).isEqualTo(0.5);
        JsonNode little = json.at("/changes/1");
        assertThat(little.path("relativeL2").asDouble()).isCloseTo(Math.sqrt(0.3125) / 5, within(1e-12));
        assertThat(little.path("maxAbs").asDouble()).isEqualTo(0.5);
        assertThat(little.path("changedShare").asDouble()).isEqualTo(1.0);
        assertThat(little.path("remark").asText()).isEqualTo("BF16 to F32");
        assertThat(json.path("unchanged").asInt()).isEqualTo(1);
        assertThat(json.path("onlyInB").toString()).isEqualTo("[\"new\"]");
    }

    /** Codes of the eight-bit types: 0x38 is 1, 0x40 is 2 in E4M3 (arXiv 2209.05433, table 1). */
    @Test
    void eightBitFloatsAreDecodedAndShapesNeedToAgree() throws IOException {
        Path before = CheckpointFixtures.safetensors(
                folder.resolve("a.safetensors"),
                CheckpointFixtures.bytes("eight", DType.F8_E4M3, List.of(2L), (byte) 0x38, (byte) 0x38),
                CheckpointFixtures.bytes("shape", DType.U8, List.of(2L), (byte) 1, (byte) 1),
                CheckpointFixtures.bytes("type", DType.U8, List.of(4L), (byte) 0, (byte) 0, (byte) 0, (byte) 0));
        Path after = CheckpointFixtures.safetensors(
                folder.resolve("b.safetensors"),
                CheckpointFixtures.bytes("eight", DType.F8_E4M3, List.of(2L), (byte) 0x38, (byte) 0x40),
                CheckpointFixtures.bytes("shape", DType.U8, List.of(1L), (byte) 1),
                CheckpointFixtures.bfloat16("type", 1, 1, 1, 1));

        JsonNode json = CommandOutcome.of("diff", before, after, "--json").json();

        assertThat(json.at("/changes/0/maxAbs").asDouble()).isEqualTo(1.0);
        assertThat(json.at("/changes/0/changedElements").asInt()).isEqualTo(1);
        assertThat(json.at("/notCompared/shape").asText()).isEqualTo("shape [2] to [1]");
        assertThat(json.at("/notCompared/type").asText()).isEqualTo("U8 to BF16");
        assertThat(CommandOutcome.of("diff", before, after).out()).contains("not compared: shape: shape [2] to [1]");
    }

    @Test
    void whatIsNoNumberIsCountedAndDoesNotSpoilTheOthers() throws IOException {
        Path before = CheckpointFixtures.safetensors(
                folder.resolve("a.safetensors"),
                CheckpointFixtures.float32("w", 1, Double.NaN, Double.POSITIVE_INFINITY, 2));
        Path after = CheckpointFixtures.safetensors(
                folder.resolve("b.safetensors"), CheckpointFixtures.float32("w", 1, Double.NaN, 0, 2.5));

        JsonNode json = CommandOutcome.of("diff", before, after, "--json").json();

        assertThat(json.at("/changes/0/notFinite").asInt()).isEqualTo(1);
        assertThat(json.at("/changes/0/changedElements").asInt()).isEqualTo(2);
        assertThat(json.at("/changes/0/maxAbs").asDouble()).isEqualTo(0.5);
        assertThat(CommandOutcome.of("diff", before, after).out()).contains("1 not finite");
    }

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void nothingChangedBetweenAModelAndItsMegatronCheckpoint(String genuine) {
        Path root = CheckpointFixtures.MEGATRON_016.resolveSibling(genuine);

        CommandOutcome outcome = CommandOutcome.of("diff", CheckpointFixtures.HUGGING_FACE, root);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out()).contains("0 of 135 tensors in common changed", "read 1.74 MB");
    }

    @Test
    void oneChangedElementIsFoundAcrossFormats() throws IOException {
        Path changed = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("changed"));
        CheckpointFixtures.damage(changed.resolve("model-00002-of-00002.safetensors"), 1, 0x80);

        JsonNode json = CommandOutcome.of("diff", CheckpointFixtures.MEGATRON_016, changed, "--json")
                .json();

        assertThat(json.path("changed").asInt()).isEqualTo(1);
        assertThat(json.path("unchanged").asInt()).isEqualTo(134);
        assertThat(json.at("/changes/0/changedElements").asInt()).isEqualTo(1);
    }

    @Test
    void aDamagedSideOrAWrongCountIsAUsageError() throws IOException {
        Path truncated = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("truncated"));
        CheckpointFixtures.cutInHalf(truncated.resolve("model-00001-of-00002.safetensors"));

        CommandOutcome outcome = CommandOutcome.of("diff", truncated, CheckpointFixtures.HUGGING_FACE);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("is truncated").doesNotContain("\tat ");
        assertThat(CommandOutcome.of("diff", truncated, truncated, "--top", -1).err())
                .contains("--top is -1");
    }
}
