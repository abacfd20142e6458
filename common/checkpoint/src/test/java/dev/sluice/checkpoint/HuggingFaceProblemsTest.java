package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HuggingFaceProblemsTest {
    private static final String FIRST = "model-00001-of-00002.safetensors";
    private static final String SECOND = "model-00002-of-00002.safetensors";

    @TempDir
    Path folder;

    @BeforeEach
    void copyOfTheFixture() throws IOException {
        try (Stream<Path> files = Files.list(Fixtures.HUGGING_FACE)) {
            for (Path file : files.toList()) {
                Files.copy(file, folder.resolve(file.getFileName().toString()));
            }
        }
    }

    @Test
    void findsNothingWrongWithAGoodCheckpoint() {
        assertThat(HuggingFaceCheckpoint.problems(folder)).isEmpty();
    }

    @Test
    void saysWhatToGiveWhenTheDirectoryDoesNotExist() {
        assertThat(HuggingFaceCheckpoint.problems(folder.resolve("nowhere")))
                .singleElement()
                .asString()
                .contains("is not a directory", "config.json");
    }

    @Test
    void reportsAMissingConfigurationAMissingShardAndATruncatedOneTogether() throws IOException {
        // Given a good file has 507912 bytes
        Files.delete(folder.resolve("config.json"));
        Files.delete(folder.resolve(SECOND));
        truncate(FIRST, 400_000);

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .anyMatch(problem -> problem.contains("config.json"))
                .anyMatch(problem -> problem.contains(SECOND + " is missing") && problem.contains("download it again"))
                .anyMatch(problem -> problem.contains("truncated")
                        && problem.contains("needs 507912 bytes")
                        && problem.contains("has 400000"));
    }

    @Test
    void namesTheSupportedFamiliesWhenTheModelIsAnother() throws IOException {
        // Given
        edit("config.json", "glm4_moe_lite", "gemma4");

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .singleElement()
                .asString()
                .contains("model_type \"gemma4\" is not supported", "deepseek_v3", "glm4_moe_lite", "qwen3_moe");
    }

    @Test
    void refusesAnIndexThatLeavesItsDirectory() throws IOException {
        // Given
        edit(ShardIndex.FILE, FIRST, "../../etc/passwd");

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .anyMatch(problem -> problem.contains("not a plain file name"));
    }

    @Test
    void listsTensorsThatAreMissingOrOfAnotherShape() throws IOException {
        // Given a configuration with more layers and another width than the weights
        edit("config.json", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 5");
        edit("config.json", "\"v_head_dim\": 32", "\"v_head_dim\": 16");

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .anyMatch(problem -> problem.contains("are missing: model.layers.4."))
                .anyMatch(problem ->
                        problem.contains("model.layers.0.self_attn.kv_b_proj.weight is [224, 32], not [160, 32]"));
    }

    @Test
    void saysWhichConfigurationValueIsMissing() throws IOException {
        // Given
        edit("config.json", "\"kv_lora_rank\"", "\"kv_rank\"");

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .anyMatch(problem -> problem.contains("kv_lora_rank is missing"));
    }

    @Test
    void refusesAModelOfMoreExpertsThanMemoryHolds() throws IOException {
        // Given four million experts
        edit("config.json", "\"num_hidden_layers\": 3", "\"num_hidden_layers\": 1024");
        edit("config.json", "\"n_routed_experts\": 8", "\"n_routed_experts\": 4096");

        // When / Then
        assertThat(HuggingFaceCheckpoint.problems(folder))
                .singleElement()
                .asString()
                .contains("n_routed_experts is 4096 in each of 1024 layers", "at most 65536 together");
    }

    private void truncate(String file, long bytes) throws IOException {
        try (FileChannel channel = FileChannel.open(folder.resolve(file), StandardOpenOption.WRITE)) {
            channel.truncate(bytes);
        }
    }

    private void edit(String file, String from, String to) throws IOException {
        Path path = folder.resolve(file);
        Files.writeString(path, Files.readString(path).replace(from, to));
    }
}
