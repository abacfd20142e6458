package dev.sluice.trainer.run;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DirectoryRemovalTest {
    @TempDir
    Path folder;

    @Test
    void removesADirectoryOfTheRunButFollowsNoLink() throws IOException {
        Path run = Files.createDirectories(folder.resolve("run"));
        Path other = Files.createDirectories(folder.resolve("other"));
        Files.writeString(other.resolve("precious"), "x");
        Path weights = Files.createDirectories(run.resolve("weights/e1/v000001"));
        Files.createSymbolicLink(weights.resolve("link"), other);

        DirectoryRemoval.below(run, weights);

        assertThat(weights).doesNotExist();
        assertThat(other.resolve("precious")).exists();
    }

    @Test
    void removesNothingOutsideTheRunNorTheRunItself() throws IOException {
        Path run = Files.createDirectories(folder.resolve("run"));
        Path other = Files.createDirectories(folder.resolve("other"));

        DirectoryRemoval.below(run, run.resolve("../other"));
        DirectoryRemoval.below(run, run);

        assertThat(other).exists();
        assertThat(run).exists();
    }
}
