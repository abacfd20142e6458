package dev.sluice.cpu.example;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class MakeExampleTest {
    @TempDir
    private Path folder;

    @Test
    void theRecipeStillMakesAModelDirectory() {
        int exit = make(folder.resolve("a"));

        assertThat(exit).isZero();
        assertThat(HuggingFaceCheckpoint.problems(folder.resolve("a/model"))).isEmpty();
        assertThat(folder.resolve("a/prompts.jsonl")).content().hasLineCount(16);
    }

    @Test
    void theSameSeedMakesTheSameFilesOnOneMachine() throws Exception {
        make(folder.resolve("a"));

        make(folder.resolve("b"));

        for (String file : new String[] {"prompts.jsonl", "heldout.jsonl", "model/model.safetensors"}) {
            assertThat(Files.mismatch(
                            folder.resolve("a").resolve(file),
                            folder.resolve("b").resolve(file)))
                    .as(file)
                    .isEqualTo(-1);
        }
    }

    private static int make(Path out) {
        return new CommandLine(new MakeExample())
                .execute("--out", out.toString(), "--steps", "2", "--prompts", "16", "--heldout", "4");
    }
}
