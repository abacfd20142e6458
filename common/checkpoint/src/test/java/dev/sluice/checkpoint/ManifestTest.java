package dev.sluice.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected hashes are those of the Python package xxhash 3, {@code xxh3_64_hexdigest}, over the same bytes. */
class ManifestTest {
    private static final String ABC = "78af5f94892f3950";
    private static final String EMPTY = "2d06800538d394c2";

    @TempDir
    Path folder;

    @BeforeEach
    void someFiles() throws IOException {
        Files.createDirectories(folder.resolve("sub"));
        Files.writeString(folder.resolve("b.txt"), "abc");
        Files.writeString(folder.resolve("sub/a.txt"), "");
    }

    @Test
    void listsEveryFileWithSizeAndHashAndVerifiesThem() throws Exception {
        // When
        String hash = Manifest.write(folder);

        // Then
        Path manifest = folder.resolve("manifest.json");
        var files = Json.file(manifest).path("files");
        assertThat(files.findValuesAsText("path")).containsExactly("b.txt", "sub/a.txt");
        assertThat(files.findValuesAsText("xxh3")).containsExactly(ABC, EMPTY);
        assertThat(files.path(0).path("bytes").asLong()).isEqualTo(3);
        byte[] sha256 = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(manifest));
        assertThat(Manifest.verify(folder))
                .isEqualTo(hash)
                .isEqualTo(HexFormat.of().formatHex(sha256));
    }

    @Test
    void namesEveryFileThatIsMissingSurplusOrDifferent() throws IOException {
        // Given
        Files.writeString(folder.resolve("d.txt"), "1");
        Manifest.write(folder);
        Files.writeString(folder.resolve("b.txt"), "abd");
        Files.writeString(folder.resolve("c.txt"), "new");
        Files.writeString(folder.resolve("d.txt"), "12");
        Files.delete(folder.resolve("sub/a.txt"));

        // When / Then
        assertThatThrownBy(() -> Manifest.verify(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("c.txt is not listed")
                .hasMessageContaining("sub/a.txt is missing")
                .hasMessageContaining("d.txt has 2 bytes, not 1")
                .hasMessageContaining("b.txt has 3 bytes with XXH3 6b4467b443c76228 outside tensors, not " + ABC);
    }

    @Test
    void sizesCanBeComparedWithoutReadingContents() throws IOException {
        // Given
        Manifest.write(folder);
        Files.writeString(folder.resolve("b.txt"), "abd");
        Files.writeString(folder.resolve("c.txt"), "new");

        // When / Then
        assertThat(Manifest.problems(folder)).containsExactly("c.txt is not listed");
        assertThat(Manifest.problems(folder, bytes -> {}))
                .containsExactly(
                        "c.txt is not listed",
                        "b.txt has 3 bytes with XXH3 6b4467b443c76228 outside tensors, not " + ABC);
    }

    @Test
    void refusesADirectoryThatWasNeverFinished() {
        assertThatThrownBy(() -> Manifest.verify(folder)).hasMessageContaining("never finished");
    }

    @Test
    void hashesEachTensorForItselfAndTheHeaderAsTheRestOfItsFile() throws IOException {
        // Given
        Path copy = copyOfTheModel();

        // When
        Manifest.write(copy);

        // Then
        List<HashedTensor> tensors = Manifest.tensors(copy);
        assertThat(tensors).hasSize(135);
        assertThat(hash(tensors, "model.embed_tokens.weight")).isEqualTo("3e7bf7c7e63ab032");
        assertThat(hash(tensors, "model.layers.0.self_attn.q_a_proj.weight")).isEqualTo("01e685f7a454fc2f");
        assertThat(hash(tensors, "model.layers.1.mlp.gate.e_score_correction_bias"))
                .isEqualTo("5f077eec268f7b64");
        assertThat(Json.file(copy.resolve("manifest.json")).path("files").findValuesAsText("xxh3"))
                .contains("c531a7d852eb7bd7", "9ed8c8b980f55b87");
    }

    @ParameterizedTest
    @CsvSource({"torch_dist_mcore016slime_te_names", "torch_dist_mcore020_local"})
    void hashesEachChunkOfACheckpointThatMegatronWrote(String genuine) throws IOException {
        // Given
        Path copy = folder.resolve("sub");
        CopiedFiles.copy(Fixtures.file(genuine), copy);

        // When
        Manifest.write(copy);

        // Then a chunk that is a whole Hugging Face tensor has its hash, wherever it lies
        List<HashedTensor> tensors = Manifest.tensors(copy);
        assertThat(hash(tensors, "decoder.layers.0.self_attention.linear_q_down_proj.weight"))
                .isEqualTo("01e685f7a454fc2f");
        assertThat(hash(tensors, "decoder.layers.1.mlp.router.expert_bias")).isEqualTo("5f077eec268f7b64");
        Manifest.verify(copy);
    }

    @Test
    void isTheSameWhetherTheTensorsAreHashedWhileTheyAreWrittenOrAfterwards() throws IOException {
        // Given
        Path torchDist = folder.resolve("torch_dist");
        Path huggingFace = folder.resolve("hf");
        Conversion.toTorchDist(Fixtures.HUGGING_FACE, torchDist, Progress.NONE);
        Conversion.toHuggingFace(torchDist, Fixtures.HUGGING_FACE, huggingFace, 400_000, Progress.NONE);

        for (Path written : List.of(torchDist, huggingFace)) {
            // When
            String whileWriting = Manifest.verify(written);
            String afterwards = Manifest.write(written);

            // Then
            assertThat(afterwards).isEqualTo(whileWriting);
        }
    }

    @Test
    void saysHowManyBytesOfTensorsItHasRead() throws IOException {
        // Given
        Path copy = copyOfTheModel();
        Manifest.write(copy);
        AtomicLong read = new AtomicLong();

        // When
        List<String> problems = Manifest.problems(copy, read::addAndGet);

        // Then
        assertThat(problems).isEmpty();
        assertThat(read)
                .hasValue(Manifest.tensors(copy).stream()
                        .mapToLong(hashed -> hashed.tensor().bytes())
                        .sum());
    }

    @Test
    void namesTheTensorWhoseBytesChanged() throws IOException {
        // Given
        Path copy = copyOfTheModel();
        Manifest.write(copy);
        StoredTensor tensor = Manifest.tensors(copy).getFirst().tensor();
        try (var file = new RandomAccessFile(copy.resolve(tensor.file()).toFile(), "rw")) {
            file.seek(tensor.begin() + 1);
            int changed = file.read() ^ 1;
            file.seek(tensor.begin() + 1);
            file.write(changed);
        }

        // When / Then
        assertThatThrownBy(() -> Manifest.verify(copy))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(
                        "tensor " + tensor.name() + " at byte " + tensor.begin() + " of " + tensor.file());
    }

    @ParameterizedTest
    @CsvSource({
        "'\"begin\":30000,',            'where another tensor lies'",
        "'\"begin\":99999999999,',      'the file has ended'",
        "'\"begin\":-5,',               'where another tensor lies'",
    })
    void refusesAManifestWhoseTensorsLieWhereTheyCannot(String begin, String reason) throws IOException {
        // Given
        Path copy = copyOfTheModel();
        Manifest.write(copy);
        Path manifest = copy.resolve("manifest.json");
        String text = Files.readString(manifest);
        int last = text.lastIndexOf("\"begin\":");
        Files.writeString(manifest, text.substring(0, last) + begin + text.substring(text.indexOf("\"bytes\"", last)));

        // When / Then
        assertThatThrownBy(() -> Manifest.verify(copy))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(reason);
    }

    @ParameterizedTest
    @CsvSource({
        "'{\"formatVersion\":1,\"files\":[]}', 'format version 1'",
        "'{\"formatVersion\":2,\"files\":[{\"path\":\"b.txt\",\"bytes\":3,\"xxh3\":\"?\"}]}', 'is damaged'",
        "'{\"formatVersion\":2,\"tensors\":[{\"name\":\"a\",\"dtype\":\"F7\"}]}', 'unknown dtype'",
        "'{\"formatVersion\":2,\"files\":[{\"path\":\"../x\",\"bytes\":3,\"xxh3\":\"0\"}]}', '../x is missing'",
    })
    void refusesAManifestThatItCannotTrust(String content, String reason) throws IOException {
        // Given
        Files.writeString(folder.resolve("manifest.json"), content);

        // When / Then
        assertThatThrownBy(() -> Manifest.verify(folder))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining(reason);
    }

    private Path copyOfTheModel() throws IOException {
        return CopiedFiles.copy(Fixtures.HUGGING_FACE, folder.resolve("model"));
    }

    private static String hash(List<HashedTensor> tensors, String name) {
        return tensors.stream()
                .filter(hashed -> hashed.tensor().name().equals(name))
                .map(HashedTensor::hexadecimal)
                .collect(Collectors.joining(","));
    }
}
