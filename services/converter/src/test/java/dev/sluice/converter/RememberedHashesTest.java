package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Expected hashes are those of FIPS 180-4's examples ("abc") and of coreutils' sha256sum. */
class RememberedHashesTest {
    private static final String ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    private static final String XYZ = "3608bca1e44ea6c4d268eb6db02260269892c0b42b86bbf1e77a6fa16c3c9282";

    private final AtomicLong read = new AtomicLong();

    @TempDir
    Path directory;

    private Path source;
    private RememberedHashes hashes;

    @BeforeEach
    void writeTwoFiles() throws IOException {
        source = Files.createDirectory(directory.resolve("source"));
        Files.writeString(source.resolve("a"), "abc");
        Files.writeString(source.resolve("b"), "xyz");
        hashes = new RememberedHashes(directory.resolve("memory"), Duration.ZERO, 2);
    }

    @Test
    void filesAreReadOnceAsLongAsNothingChanges() throws IOException {
        assertThat(hash()).isEqualTo(List.of(ABC, XYZ));
        assertThat(read).hasValue(6);

        assertThat(hash()).isEqualTo(List.of(ABC, XYZ));
        assertThat(read).hasValue(6);
    }

    @Test
    void onlyTheChangedFileIsReadAgain() throws IOException {
        hash();

        Files.writeString(source.resolve("b"), "abc");

        assertThat(hash()).isEqualTo(List.of(ABC, ABC));
        assertThat(read).hasValue(9);
    }

    @Test
    void aFileOfTheSameSizeWithItsOldTimeSetBackIsReadAgain() throws IOException {
        hash();
        FileTime before = Files.getLastModifiedTime(source.resolve("b"));

        Files.writeString(source.resolve("b"), "abc");
        Files.setLastModifiedTime(source.resolve("b"), before);

        assertThat(hash()).isEqualTo(List.of(ABC, ABC));
    }

    @Test
    void aFileThatTookAnothersPlaceIsReadAgain() throws IOException {
        hash();

        Path other = Files.writeString(directory.resolve("other"), "abc");
        Files.move(other, source.resolve("b"), StandardCopyOption.REPLACE_EXISTING);

        assertThat(hash()).isEqualTo(List.of(ABC, ABC));
    }

    @Test
    void aFileThatWasWrittenJustNowIsReadAgainBecauseTheNextWriteMayNotShow() throws IOException {
        hashes = new RememberedHashes(directory.resolve("memory"), Duration.ofHours(1), 2);

        hash();
        hash();

        assertThat(read).hasValue(12);
    }

    @Test
    void aMemoryThatCannotBeBelievedIsAsIfThereWereNone() throws IOException {
        hash();
        Path memory = hashes.fileFor(source);
        String believable = Files.readString(memory);

        for (String broken : List.of(
                "",
                "{",
                "null",
                "{}",
                believable.replace(ABC, "abc"),
                believable.replace("\"a\":{", "\"a\":null,\"z\":{"))) {
            Files.writeString(memory, broken);
            read.set(0);

            assertThat(hash()).as(broken).isEqualTo(List.of(ABC, XYZ));
            assertThat(read).as(broken).hasValue(6);
        }
    }

    @Test
    void aFileThatChangesWhileItIsReadIsRefused() {
        assertThatThrownBy(() -> hashes.hash(source, List.of("a", "b"), (bytes, total) -> append(source.resolve("b"))))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(source.toString())
                .hasMessageContaining("changed while they were read: [b]")
                .hasMessageContaining("submit the run again");
    }

    private List<String> hash() throws IOException {
        AtomicLong last = new AtomicLong();
        List<String> found = hashes
                .hash(source, List.of("a", "b"), (bytes, total) -> last.accumulateAndGet(bytes, Math::max))
                .values()
                .stream()
                .map(RememberedHashes.Hashed::sha256)
                .toList();
        read.addAndGet(last.get());
        return found;
    }

    private static void append(Path file) {
        try {
            Files.writeString(file, "!", StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
