package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Expected bytes, checksums and figures are those that slime's own Python printed. */
class SlimeDeltaTest {
    private static final String STREAMS = """
            xor_xxh3-128,     XOR,       XXH3_128
            overwrite_blake3, OVERWRITE, BLAKE3
            xor_adler32,      XOR,       ADLER32
            """;

    @TempDir
    Path folder;

    @ParameterizedTest
    @CsvSource(textBlock = STREAMS)
    void appliesWhatSlimePublished(String name, DeltaEncoding encoding, DeltaChecksum checksum) throws IOException {
        // Given
        Path stream = SlimeStreams.stream(name);
        DeltaChain threeVersions = DeltaChain.between(stream, new WeightVersion(0), new WeightVersion(3));
        DeltaChain allVersions = DeltaChain.between(stream, new WeightVersion(0), new WeightVersion(5));

        // When
        threeVersions.apply(SlimeStreams.BASE, folder.resolve("v3"), 2);
        allVersions.apply(SlimeStreams.BASE, folder.resolve("v5"), 1);

        // Then
        assertSameFiles(folder.resolve("v3"), SlimeStreams.expected(3));
        assertSameFiles(folder.resolve("v5"), SlimeStreams.expected(5));
        assertThatCode(() -> allVersions.verify(SlimeStreams.BASE, SlimeStreams.expected(5), 2))
                .doesNotThrowAnyException();
        try (DeltaCheckpoint first = DeltaCheckpoint.open(stream.resolve("weight_v000001"))) {
            assertThat(first.encoding()).isEqualTo(encoding);
            assertThat(first.checksum()).isEqualTo(checksum);
            assertThat(first.wireBytes())
                    .isEqualTo(SlimeStreams.figures(name, 1).path("wire").asLong());
        }
    }

    @ParameterizedTest
    @CsvSource(textBlock = STREAMS)
    void publishesTheSamePayloadsChecksumsIndexAndFiguresAsSlime(
            String name, DeltaEncoding encoding, DeltaChecksum checksum) throws IOException {
        Path ours = folder.resolve("stream");
        for (int version = 1; version <= 5; version++) {
            // Given both neighbours
            WeightVersion after = new WeightVersion(version);
            Path before = whole(name, version - 1);
            Path next = whole(name, version);

            // When
            DeltaFigures figures;
            try (HuggingFaceCheckpoint base = HuggingFaceCheckpoint.open(before);
                    HuggingFaceCheckpoint changed = HuggingFaceCheckpoint.open(next)) {
                figures = DeltaWriter.write(
                        base, SlimeStreams.sources(changed), ours, after, new DeltaOptions(encoding, checksum, 2));
            }

            // Then
            assertSameDelta(after.directory(ours), after.directory(SlimeStreams.stream(name)));
            JsonNode counted = SlimeStreams.figures(name, version);
            assertThat(figures.changedBytes()).isEqualTo(counted.path("changed").asLong());
            assertThat(figures.totalBytes()).isEqualTo(counted.path("total").asLong());
            assertThat(figures.density())
                    .isEqualTo(counted.path("changed").asDouble()
                            / counted.path("total").asDouble());
        }
    }

    @ParameterizedTest
    @CsvSource({"overwrite_blake3, OVERWRITE, BLAKE3", "xor_adler32, XOR, ADLER32"})
    void writesTheSameFilesAsOneTrainerRank(String name, DeltaEncoding encoding, DeltaChecksum checksum)
            throws IOException {
        for (int version : List.of(4, 5)) {
            // Given a version with nothing changed and one with a single changed tensor, whose header has one possible
            // order
            WeightVersion after = new WeightVersion(version);
            Path ours = folder.resolve("stream");

            // When
            try (HuggingFaceCheckpoint base = HuggingFaceCheckpoint.open(whole(name, version - 1));
                    HuggingFaceCheckpoint changed = HuggingFaceCheckpoint.open(whole(name, version))) {
                DeltaWriter.write(
                        base, SlimeStreams.sources(changed), ours, after, new DeltaOptions(encoding, checksum, 1));
            }

            // Then
            assertSameFiles(after.directory(ours), after.directory(SlimeStreams.stream(name)));
        }
    }

    @Test
    void theIndexIsWrittenAsPythonWritesIt() throws IOException {
        // Given the index of a version with several changed tensors
        Path directory = SlimeStreams.stream("xor_adler32").resolve("weight_v000002");

        // When
        byte[] ours = DeltaIndex.read(directory).json();

        // Then
        assertThat(ours).isEqualTo(Files.readAllBytes(directory.resolve(DeltaIndex.FILE)));
    }

    private Path whole(String name, int version) {
        Path directory = folder.resolve("whole-" + version);
        if (!Files.exists(directory)) {
            DeltaChain.between(SlimeStreams.stream(name), new WeightVersion(0), new WeightVersion(version))
                    .apply(SlimeStreams.BASE, directory, 1);
        }
        return directory;
    }

    private static void assertSameDelta(Path ours, Path slimes) {
        try (DeltaCheckpoint written = DeltaCheckpoint.open(ours);
                DeltaCheckpoint original = DeltaCheckpoint.open(slimes)) {
            assertThat(written.version()).isEqualTo(original.version());
            assertThat(written.baseVersion()).isEqualTo(original.baseVersion());
            assertThat(written.checksums()).isEqualTo(original.checksums());
            assertThat(SlimeStreams.payloads(written))
                    .usingRecursiveComparison()
                    .isEqualTo(SlimeStreams.payloads(original));
        }
    }

    private static void assertSameFiles(Path ours, Path expected) throws IOException {
        assertThat(names(ours)).isEqualTo(names(expected));
        for (String name : names(expected)) {
            assertThat(ours.resolve(name)).hasSameBinaryContentAs(expected.resolve(name));
        }
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }
}
