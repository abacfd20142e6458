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
import org.junit.jupiter.params.provider.ValueSource;

class VerifyCommandTest {
    @TempDir
    private Path folder;

    @ParameterizedTest
    @ValueSource(strings = {"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void aGenuineMegatronCheckpointEqualsTheModelItWasMadeOf(String genuine) throws IOException {
        Path root = CheckpointFixtures.MEGATRON_016.resolveSibling(genuine);

        CommandOutcome outcome = CommandOutcome.of("verify", root, CheckpointFixtures.HUGGING_FACE);
        JsonNode json = CommandOutcome.of("verify", CheckpointFixtures.HUGGING_FACE, root, "--json")
                .json();

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out())
                .contains("135 of 135 tensors in common are equal: 135 byte for byte")
                .contains("embedding.word_embeddings.weight has 320 rows; the 20 after the vocabulary of 300")
                .contains("equal; read 1.74 MB");
        assertThat(json.path("equal").asBoolean()).isTrue();
        assertThat(json.at("/counts/equal").asInt()).isEqualTo(135);
        assertThat(json.at("/b/format").asText()).isEqualTo("torch_dist");
    }

    @Test
    void twoDialectsOfMegatronAreEqualUnderTheNamesOfHuggingFace() {
        CommandOutcome keys =
                CommandOutcome.of("verify", CheckpointFixtures.MEGATRON_016, CheckpointFixtures.MEGATRON_020);
        CommandOutcome named = CommandOutcome.of(
                "verify",
                CheckpointFixtures.MEGATRON_016,
                CheckpointFixtures.MEGATRON_020,
                "--config",
                CheckpointFixtures.HUGGING_FACE);

        assertThat(keys.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(keys.out()).contains("9 are only in A:", "9 are only in B:", "--config HF_DIR compares under");
        assertThat(named.exitCode()).isEqualTo(ExitCode.OK);
    }

    @Test
    void aTensorThatDiffersIsNamedWithItsFirstElement() throws IOException {
        Path changed = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("changed"));
        CheckpointFixtures.damage(changed.resolve("model-00002-of-00002.safetensors"), 1, 0x80);

        CommandOutcome outcome = CommandOutcome.of("verify", CheckpointFixtures.HUGGING_FACE, changed);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(outcome.out())
                .contains("134 of 135 tensors in common are equal", "1 differ:", "not equal")
                .containsPattern(
                        "  model\\S+  1 of [\\d,]+ elements, the first at \\[\\d+(, \\d+)?]: (\\S+) against -?\\S+");
    }

    @Test
    void aFloat32CopyEqualsTheShorterTypeThatItRoundsTo() throws IOException {
        // 1 + 2^-9 lies halfway between two bfloat16 and rounds to the even one, 1.
        Path wide = CheckpointFixtures.safetensors(
                folder.resolve("wide.safetensors"),
                CheckpointFixtures.float32("exact", 1.5, -2),
                CheckpointFixtures.float32("rounded", 1.001953125, -2),
                CheckpointFixtures.float32("other", 1.01, -2));
        Path narrow = CheckpointFixtures.safetensors(
                folder.resolve("narrow.safetensors"),
                CheckpointFixtures.bfloat16("exact", 1.5, -2),
                CheckpointFixtures.bfloat16("rounded", 1, -2),
                CheckpointFixtures.bfloat16("other", 1, -2));

        CommandOutcome outcome = CommandOutcome.of("verify", narrow, wide);
        JsonNode json = CommandOutcome.of("verify", narrow, wide, "--json").json();

        assertThat(outcome.out())
                .contains(
                        "2 of 3 tensors in common are equal",
                        "1 the same values in another type",
                        "1 the other's values rounded")
                .contains("other  1 of 2 elements, the first at [0]: 1.0 against 1.00999");
        assertThat(json.path("counts").toString())
                .isEqualTo("{\"equal\":0,\"same_values\":1,\"rounded\":1,\"different\":1}");
        assertThat(CommandOutcome.of("verify", wide, narrow, "--json").json().path("counts"))
                .isEqualTo(json.path("counts"));
    }

    @Test
    void paddedRowsOfAVocabularyAreLeftOutAndSaid() {
        byte[] rows = new byte[64];
        rows[0] = 1;
        Path padded = CheckpointFixtures.safetensors(
                folder.resolve("a.safetensors"),
                CheckpointFixtures.bytes("lm_head.weight", DType.U8, List.of(64L, 1L), rows),
                CheckpointFixtures.bytes("other.weight", DType.U8, List.of(64L, 1L), rows));
        byte[] fewer = java.util.Arrays.copyOf(rows, 60);
        Path plain = CheckpointFixtures.safetensors(
                folder.resolve("b.safetensors"),
                CheckpointFixtures.bytes("lm_head.weight", DType.U8, List.of(60L, 1L), fewer),
                CheckpointFixtures.bytes("other.weight", DType.U8, List.of(60L, 1L), fewer));

        CommandOutcome outcome = CommandOutcome.of("verify", padded, plain);

        assertThat(outcome.out())
                .contains("lm_head.weight: A has 4 more rows, which pad its vocabulary")
                .contains("other.weight  shape [64, 1] against [60, 1]");
    }

    @Test
    void blockQuantisedTensorsAreNotHeldAgainstOthers() {
        Path quantised = CheckpointFixtures.safetensors(
                folder.resolve("a.safetensors"),
                CheckpointFixtures.bytes("w", DType.F8_E4M3, List.of(1L), (byte) 0x38));
        Path plain =
                CheckpointFixtures.safetensors(folder.resolve("b.safetensors"), CheckpointFixtures.bfloat16("w", 1));

        assertThat(CommandOutcome.of("verify", quantised, plain).out())
                .contains("F8_E4M3 cannot be held against BF16; dequantise the checkpoint first");
        assertThat(CommandOutcome.of("verify", quantised, quantised).exitCode()).isEqualTo(ExitCode.OK);
    }

    @Test
    void checkpointsWithNothingInCommonAreNotEqual() {
        Path one = CheckpointFixtures.safetensors(folder.resolve("a.safetensors"), CheckpointFixtures.float32("a", 1));
        Path other =
                CheckpointFixtures.safetensors(folder.resolve("b.safetensors"), CheckpointFixtures.float32("b", 1));

        CommandOutcome outcome = CommandOutcome.of("verify", one, other);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(outcome.out()).contains("1 are only in A:\n  a\n", "1 are only in B:\n  b\n");
    }

    @Test
    void withoutAConfigurationTheTwoFormatsHaveNoNamesInCommon() {
        Path file = CheckpointFixtures.safetensors(folder.resolve("a.safetensors"), CheckpointFixtures.float32("a", 1));

        CommandOutcome outcome = CommandOutcome.of("verify", file, CheckpointFixtures.MEGATRON_020);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("has Megatron's names", "give --config DIR");
    }

    @Test
    void aDamagedSideIsAUsageErrorWithItsReason() throws IOException {
        Path damaged = CheckpointFixtures.copy(CheckpointFixtures.MEGATRON_020, folder.resolve("damaged"));
        // In the middle of the data, so that a tensor's checksum is wrong.
        Path data = damaged.resolve("release/__0_0.distcp");
        CheckpointFixtures.damage(data, Files.size(data) / 2, 0xFF);
        Path foreign = CheckpointFixtures.copy(CheckpointFixtures.HUGGING_FACE, folder.resolve("foreign"));
        Files.writeString(
                foreign.resolve("config.json"),
                Files.readString(foreign.resolve("config.json")).replace("\"hidden_size\": 64", "\"hidden_size\": 32"));

        CommandOutcome checksum = CommandOutcome.of("verify", CheckpointFixtures.HUGGING_FACE, damaged);
        CommandOutcome otherModel = CommandOutcome.of("verify", foreign, CheckpointFixtures.MEGATRON_020);
        CommandOutcome missing = CommandOutcome.of("verify", CheckpointFixtures.HUGGING_FACE, folder.resolve("none"));

        assertThat(checksum.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(checksum.err()).contains("sluice: ").doesNotContain("\tat ");
        assertThat(otherModel.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(otherModel.err()).contains("the two belong to different models");
        assertThat(missing.exitCode()).isEqualTo(ExitCode.USAGE);
    }
}
