package dev.sluice.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The plain model is the quantised one multiplied out by numpy and ml_dtypes; see common/checkpoint/src/test/fixtures/README.md. The last tensor of the
 * quantised file is {@code v_proj} of layer 1, the first {@code down_proj}'s scales of layer 0.
 */
class BlockScaledComparisonTest {
    private static final Path QUANTISED =
            CheckpointFixtures.HUGGING_FACE.resolveSibling("families").resolve("qwen3_fp8/hf");
    private static final Path PLAIN = QUANTISED.resolveSibling("dequantised");

    @TempDir
    private Path folder;

    private Path changed;

    @BeforeEach
    void copy() throws IOException {
        changed = CheckpointFixtures.copy(QUANTISED, folder.resolve("changed"));
    }

    @Test
    void aQuantisedModelEqualsItsMultipliedOutOne() throws IOException {
        CommandOutcome outcome = CommandOutcome.of("verify", QUANTISED, PLAIN);
        JsonNode difference =
                CommandOutcome.of("diff", PLAIN, QUANTISED, "--json").json();

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.OK);
        assertThat(outcome.out())
                .contains("25 of 25 tensors in common are equal: 25 byte for byte")
                .contains("14 weights are F8_E4M3, here multiplied by the scales of their blocks and rounded to BF16");
        assertThat(difference.path("changed").asInt()).isZero();
        assertThat(difference.path("unchanged").asInt()).isEqualTo(25);
        assertThat(difference.path("onlyInB")).isEmpty();
    }

    @Test
    void aQuantisedModelEqualsItsConversionsThereAndBack() {
        Path there = folder.resolve("there");
        Path back = folder.resolve("back");
        CommandOutcome.of("convert", QUANTISED, there);
        CommandOutcome.of("convert", there, back, "--config", QUANTISED);

        assertThat(CommandOutcome.of("verify", there, QUANTISED).exitCode()).isEqualTo(ExitCode.OK);
        assertThat(CommandOutcome.of("verify", QUANTISED, back).exitCode()).isEqualTo(ExitCode.OK);
        assertThat(CommandOutcome.of("diff", QUANTISED, there).out()).contains("0 of 25 tensors in common changed");
    }

    @Test
    void aChangedCodeIsNamedByItsWeight() throws IOException {
        Path there = folder.resolve("there");
        CommandOutcome.of("convert", QUANTISED, there);
        CheckpointFixtures.damage(changed.resolve("model.safetensors"), 1, 0x01);

        CommandOutcome plain = CommandOutcome.of("verify", changed, PLAIN);
        CommandOutcome megatron = CommandOutcome.of("verify", there, changed);
        JsonNode difference =
                CommandOutcome.of("diff", changed, there, "--json").json();

        assertThat(plain.exitCode()).isEqualTo(ExitCode.FAILED);
        assertThat(plain.out()).contains("1 differ:\n  model.layers.1.self_attn.v_proj.weight  1 of 256 elements");
        assertThat(megatron.out()).contains("1 differ:\n  model.layers.1.self_attn.v_proj.weight  1 of 256 elements");
        assertThat(difference.path("changed").asInt()).isEqualTo(1);
        assertThat(difference.at("/changes/0/name").asText()).isEqualTo("model.layers.1.self_attn.v_proj.weight");
        assertThat(difference.at("/changes/0/changedElements").asInt()).isEqualTo(1);
    }

    /** Its first block has 16 rows and 16 of the 24 columns; the bit is that of the scale's sign. */
    @Test
    void aChangedScaleIsNamedByItsWeight() throws IOException {
        Path file = changed.resolve("model.safetensors");
        int tensors = 10_176;
        CheckpointFixtures.damage(file, tensors - 3, 0x80);

        CommandOutcome outcome = CommandOutcome.of("verify", changed, PLAIN);

        assertThat(outcome.out()).contains("1 differ:\n  model.layers.0.mlp.down_proj.weight  256 of 384 elements");
    }

    @Test
    void twoQuantisedModelsAreComparedAsStored() throws IOException {
        CheckpointFixtures.damage(changed.resolve("model.safetensors"), 1, 0x01);

        CommandOutcome same = CommandOutcome.of("verify", QUANTISED, QUANTISED);
        CommandOutcome other = CommandOutcome.of("verify", QUANTISED, changed);

        assertThat(same.out()).contains("39 of 39 tensors in common are equal").doesNotContain("multiplied");
        assertThat(other.out()).contains("1 differ:\n  model.layers.1.self_attn.v_proj.weight");
    }

    @Test
    void scalesThatDoNotFitAreAUsageError() throws IOException {
        Path config = changed.resolve("config.json");
        Files.writeString(config, Files.readString(config).replaceFirst("16,(\\s+)16\n", "16,$18\n"));

        CommandOutcome outcome = CommandOutcome.of("verify", changed, PLAIN);

        assertThat(outcome.exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(outcome.err()).contains("for blocks of 16 x 8").doesNotContain("\tat ");
    }
}
