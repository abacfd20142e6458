package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ContentKeyTest {
    /** Made with Python's hashlib over the same lines. */
    private static final String TINY = "eb87693f1ff1802995b25fd3d77400a0ae85c51b03586eb87f7688b716498390";

    @TempDir
    Path directory;

    @Test
    void theKeyIsTheHashOfNamesSizesAndHashes() throws IOException {
        assertThat(keyOf(Models.TINY).sha256()).isEqualTo(TINY);
    }

    @Test
    void theSameContentElsewhereHasTheSameKeyWhateverElseLiesThere() throws IOException {
        Path copy = Models.copyInto(directory.resolve("copy"));
        Files.writeString(copy.resolve("README.md"), "another");

        assertThat(keyOf(copy).sha256()).isEqualTo(TINY);
    }

    @Test
    void anotherConfigurationOrAnotherByteIsAnotherKey() throws IOException {
        Path configured = Models.copyInto(directory.resolve("configured"));
        Files.writeString(configured.resolve("config.json"), " ", StandardOpenOption.APPEND);
        Path trained = Models.copyInto(directory.resolve("trained"));
        Path shard = trained.resolve("model-00001-of-00002.safetensors");
        byte[] bytes = Files.readAllBytes(shard);
        bytes[bytes.length - 1] ^= 1;
        Files.write(shard, bytes);

        assertThat(keyOf(configured).sha256())
                .isNotEqualTo(TINY)
                .isNotEqualTo(keyOf(trained).sha256());
        assertThat(keyOf(trained).sha256()).isNotEqualTo(TINY);
    }

    @Test
    void aSourceThatChangedAfterItsHashIsNoticed() throws IOException {
        Path copy = Models.copyInto(directory.resolve("copy"));
        ContentKey key = keyOf(copy);
        key.checkUnchanged();

        Files.copy(copy.resolve("config.json"), copy.resolve("model-00003-of-00003.safetensors"));

        assertThatThrownBy(key::checkUnchanged)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("changed while it was converted");
    }

    private ContentKey keyOf(Path model) throws IOException {
        return ContentKey.of(
                model, new RememberedHashes(directory.resolve("memory"), Duration.ZERO, 2), (read, total) -> {});
    }
}
