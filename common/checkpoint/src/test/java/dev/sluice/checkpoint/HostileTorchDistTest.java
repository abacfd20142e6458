package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.pickle.PickleReader;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HostileTorchDistTest {
    @TempDir
    Path root;

    private Path release;

    @BeforeEach
    void copyOfAGenuineCheckpoint() throws IOException {
        release = Files.createDirectory(root.resolve("release"));
        for (String name : List.of(".metadata", "metadata.json", "__0_0.distcp")) {
            Files.copy(Fixtures.TORCH_DIST_020.resolve("release").resolve(name), release.resolve(name));
        }
        Files.writeString(root.resolve(TorchDistDirectory.TRACKER), "release");
    }

    @Test
    void refusesMetadataThatWouldRunACommandInPython() throws IOException {
        // Given the pickle of os.system("true"), as pickle.dumps writes it
        write(
                ".metadata",
                "\u0080\u0002cposix\nsystem\nq\u0000X\u0004\u0000\u0000\u0000trueq\u0001\u0085q\u0002Rq\u0003.");

        // When / Then
        assertThatThrownBy(() -> TorchDistCheckpoint.open(root))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("posix.system")
                .hasMessageContaining("run code");
    }

    @ParameterizedTest
    @CsvSource({
        "8002636275696c74696e730a6576616c0a2e, builtins.eval",
        "80048c026f738c0673797374656d932e, os.system",
        "80025b2e, instruction 0x5b",
        "8002302e, empty",
        "8002580000001061, 268435456 bytes",
        "80024b, middle of an instruction",
        "80026805 2e, object 5",
        "80024b01652e, never opened",
        "800228752e, empty stack",
        "80024b014b02622e, not an object",
        "80077d2e, protocol 7",
        "800249310a2e, instruction 0x49"
    })
    void refusesABrokenPickle(String hex, String reason) {
        // Given
        ByteBuffer bytes = ByteBuffer.wrap(HexFormat.of().parseHex(hex.replace(" ", "")));

        // When / Then
        assertThatThrownBy(() -> PickleReader.read(bytes, "a pickle"))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(reason);
    }

    @Test
    void readsADeeplyNestedPickleWithoutExhaustingTheStack() {
        // Given a million nested lists: each is opened, and later appended to the one before
        ByteArrayOutputStream pickle = new ByteArrayOutputStream();
        pickle.writeBytes(new byte[] {(byte) 0x80, 2});
        pickle.writeBytes("]".repeat(1_000_000).getBytes(StandardCharsets.US_ASCII));
        pickle.writeBytes("a".repeat(999_999).getBytes(StandardCharsets.US_ASCII));
        pickle.write('.');

        // When / Then
        assertThat(PickleReader.read(ByteBuffer.wrap(pickle.toByteArray()), "a pickle"))
                .isNotNull();
    }

    @ParameterizedTest
    @CsvSource({"../../etc/passwd", "/etc/passwd", "..", ".hidden", "a/b"})
    void refusesDataFilesOutsideTheCheckpoint(String path) {
        assertThatThrownBy(() -> new StoredItem(path, 0, 10))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not a plain file name");
    }

    @Test
    void refusesMetadataThatNamesAFileOutsideTheCheckpoint() throws IOException {
        // Given the file name has twelve characters, so the replacement keeps every length
        String metadata = Files.readString(release.resolve(".metadata"), StandardCharsets.ISO_8859_1);
        write(".metadata", metadata.replace("__0_0.distcp", "../../passwd"));

        // When / Then
        assertThatThrownBy(() -> TorchDistCheckpoint.open(root))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("../../passwd");
    }

    @ParameterizedTest
    @ValueSource(strings = {".metadata", "metadata.json", "__0_0.distcp", "common.pt"})
    void refusesALinkOutOfTheCheckpoint(String name) throws IOException {
        // Given
        Path outside = root.resolve("outside");
        Files.write(
                outside, Files.exists(release.resolve(name)) ? Files.readAllBytes(release.resolve(name)) : new byte[9]);
        Files.deleteIfExists(release.resolve(name));
        Files.createSymbolicLink(release.resolve(name), outside);

        // When / Then
        assertThatThrownBy(() -> TorchDistCheckpoint.open(root))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(name + " is a link to " + outside.toRealPath());
    }

    @Test
    void followsTheLinksOfADownloadCache() throws IOException {
        // Given the layout of huggingface_hub: snapshots of links to blobs
        Path snapshot = Files.createDirectories(root.resolve("model/snapshots/1a2b"));
        Path blobs = Files.createDirectories(root.resolve("model/blobs"));
        for (String name : List.of(".metadata", "metadata.json", "__0_0.distcp")) {
            Files.copy(release.resolve(name), blobs.resolve("blob" + name));
            Files.createSymbolicLink(snapshot.resolve(name), Path.of("../../blobs/blob" + name));
        }

        // When / Then
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(snapshot)) {
            assertThat(checkpoint.read("embedding.word_embeddings.weight").hasRemaining())
                    .isTrue();
        }
    }

    @Test
    void saysHowManyBytesATruncatedDataFileLacks() throws IOException {
        // Given
        write("__0_0.distcp", data().substring(0, 1_000_000));

        // When / Then
        assertThatThrownBy(() -> TorchDistCheckpoint.open(root))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("__0_0.distcp has 1000000 bytes, .metadata needs 1105219");
    }

    @Test
    void noticesAFlippedBitInATensor() throws IOException {
        // Given a change in the middle of the embedding
        StoredItem item = embedding();
        StringBuilder data = new StringBuilder(data());
        int at = (int) item.offset() + 10_000;
        data.setCharAt(at, (char) (data.charAt(at) ^ 1));
        write("__0_0.distcp", data.toString());

        // When / Then
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(root)) {
            assertThatThrownBy(() -> checkpoint.read("embedding.word_embeddings.weight"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("damaged entry archive/data/0");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "10, 7f, a broken directory",
        "10, 00, claims 0 entries",
        "19, 7f, points to bytes",
        "21, 01, not a zip archive"
    })
    void refusesAnArchiveWhoseEndRecordLies(int field, String value, String reason) throws IOException {
        // Given the last 22 bytes of an archive are its end record
        StoredItem item = embedding();
        StringBuilder data = new StringBuilder(data());
        data.setCharAt((int) item.end() - 22 + field, (char) Integer.parseInt(value, 16));
        write("__0_0.distcp", data.toString());

        // When / Then
        try (TorchDistCheckpoint checkpoint = TorchDistCheckpoint.open(root)) {
            assertThatThrownBy(() -> checkpoint.read("embedding.word_embeddings.weight"))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining(reason);
        }
    }

    @ParameterizedTest
    @CsvSource({"../elsewhere", "-1", "99999999999", "''"})
    void refusesATrackerThatNamesNoIteration(String content) throws IOException {
        // Given
        Files.writeString(root.resolve(TorchDistDirectory.TRACKER), content);

        // When / Then
        assertThatThrownBy(() -> TorchDistCheckpoint.open(root))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("neither \"release\" nor an iteration");
    }

    @Test
    void refusesACheckpointWithoutItsLastFile() throws IOException {
        // Given
        Files.delete(release.resolve("metadata.json"));

        // When / Then
        assertThatThrownBy(() -> TorchDistCheckpoint.open(root))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("not a complete torch_dist checkpoint");
    }

    @ParameterizedTest
    @CsvSource({"2, 2, overlap", "3, 1, 3 of 4 elements", "2, 3, leaves the tensor"})
    void refusesChunksThatDoNotTileTheTensor(long begin, long size, String reason) {
        // Given a tensor of four elements whose first chunk holds three, or two when a hole is wanted
        StoredItem item = new StoredItem("a", 0, 1);
        List<Long> first = List.of(begin == 3 ? 2L : 3L);
        ShardedTensor tensor = new ShardedTensor(
                "key",
                DType.F32,
                List.of(4L),
                List.of(
                        new TensorChunk(List.of(0L), first, item),
                        new TensorChunk(List.of(begin), List.of(size), item)));

        // When / Then
        assertThatThrownBy(tensor::checkTiling)
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(reason);
    }

    private StoredItem embedding() {
        try (MappedFile file = MappedFile.open(release.resolve(".metadata"))) {
            DistributedMetadata metadata = DistributedMetadata.read(file.slice(0, file.bytes()));
            return new TreeMap<>(metadata.tensors())
                    .get("embedding.word_embeddings.weight")
                    .chunks()
                    .getFirst()
                    .stored();
        }
    }

    private String data() throws IOException {
        return Files.readString(release.resolve("__0_0.distcp"), StandardCharsets.ISO_8859_1);
    }

    private void write(String file, String content) throws IOException {
        Files.writeString(release.resolve(file), content, StandardCharsets.ISO_8859_1);
    }
}
