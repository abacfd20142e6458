package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ManifestTest {
    /** SHA-256 of "abc", FIPS 180-2 appendix B.1. */
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    @TempDir
    Path folder;

    @BeforeEach
    void someFiles() throws IOException {
        Files.createDirectories(folder.resolve("sub"));
        Files.writeString(folder.resolve("b.txt"), "abc");
        Files.writeString(folder.resolve("sub/a.txt"), "");
    }

    @Test
    void listsEveryFileWithSizeAndHashAndVerifiesThem() throws IOException {
        // When
        String hash = Manifest.write(folder);

        // Then
        var files = Json.file(folder.resolve("manifest.json")).path("files");
        assertThat(files.findValuesAsText("path")).containsExactly("b.txt", "sub/a.txt");
        assertThat(files.path(0).path("sha256").asText()).isEqualTo(ABC);
        assertThat(files.path(0).path("bytes").asLong()).isEqualTo(3);
        assertThat(Manifest.verify(folder)).isEqualTo(hash).hasSize(64);
    }

    @Test
    void namesEveryFileThatIsMissingSurplusOrDifferent() throws IOException {
        // Given
        Manifest.write(folder);
        Files.writeString(folder.resolve("b.txt"), "abd");
        Files.writeString(folder.resolve("c.txt"), "new");
        Files.delete(folder.resolve("sub/a.txt"));

        // When / Then
        assertThatThrownBy(() -> Manifest.verify(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("c.txt is not listed")
                .hasMessageContaining("sub/a.txt is missing")
                .hasMessageContaining("b.txt has 3 bytes with SHA-256")
                .hasMessageContaining(ABC);
    }

    @Test
    void refusesADirectoryThatWasNeverFinished() {
        assertThatThrownBy(() -> Manifest.verify(folder)).hasMessageContaining("never finished");
    }
}
