package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.Manifest;
import dev.sluice.checkpoint.TensorEntry;
import dev.sluice.checkpoint.TensorSource;
import dev.sluice.checkpoint.delta.DeltaFigures;
import dev.sluice.checkpoint.delta.DeltaOptions;
import dev.sluice.checkpoint.delta.DeltaWriter;
import dev.sluice.checkpoint.delta.WeightVersion;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightDelta;
import dev.sluice.events.WeightEvent.WeightsPublished;
import dev.sluice.rollout.weights.LocalWeights;
import dev.sluice.rollout.weights.WeightSource;
import dev.sluice.rollout.weights.WeightVersions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Weights that come as deltas, on the small model that transformers wrote. */
class DeltaWeightsTest {
    private static final Path MODEL =
            Path.of(System.getProperty("sluice.root")).resolve("common/checkpoint/src/test/fixtures/hf_tiny");
    private static final String CHANGED = "model.norm.weight";

    @TempDir
    Path folder;

    private final ManualCore core = new ManualCore();
    private boolean loading;
    private WeightVersions weights;

    @BeforeEach
    void aHostWithoutACopy() {
        LocalWeights local = new LocalWeights(folder.resolve("local"), MODEL);
        weights = new WeightVersions(core, path -> Optional.empty(), local, () -> loading, () -> {});
    }

    @Test
    void aHostCopiesTheFirstVersionAndPatchesTheNextOnes() throws IOException {
        // Given
        Path first = whole(1);
        publish(1, first, null);
        // When
        Path second = whole(2);
        publish(2, second, delta(1, first, 2, second));
        Path third = whole(3);
        publish(3, third, delta(2, second, 3, third));
        // Then
        assertThat(loadable().version()).isEqualTo(3);
        assertThat(loadable().directory()).isEqualTo(folder.resolve("local").toString());
        assertThat(changedTensor(folder.resolve("local"))).isEqualTo(changedTensor(third));
    }

    @Test
    void nothingIsPatchedWhileAnEngineReadsIt() throws IOException {
        // Given
        Path first = whole(1);
        publish(1, first, delta(0, MODEL, 1, first));
        loading = true;
        // When
        Path second = whole(2);
        publish(2, second, delta(1, first, 2, second));
        // Then
        assertThat(loadable().version()).isEqualTo(1);
        assertThat(weights.newestIsLoadable()).isFalse();
        // When
        loading = false;
        weights.loadEnded();
        core.settle();
        // Then
        assertThat(loadable().version()).isEqualTo(2);
    }

    @Test
    void aHostThatMissedAVersionTakesTheWholeOne() throws IOException {
        // Given
        Path first = whole(1);
        publish(1, first, null);
        // When the delta builds on version 2, which never came
        Path third = whole(3);
        publish(3, third, delta(2, first, 3, third));
        // Then
        assertThat(changedTensor(Path.of(loadable().directory()))).isEqualTo(changedTensor(third));
    }

    @Test
    void aDeltaThatWasDamagedOnItsWayIsNotApplied() throws IOException {
        // Given
        Path first = whole(1);
        publish(1, first, delta(0, MODEL, 1, first));
        Path second = whole(2);
        WeightDelta delta = delta(1, first, 2, second);
        try (Stream<Path> files = Files.list(Path.of(delta.directory()))) {
            Path shard = files.filter(file -> file.toString().endsWith(".safetensors"))
                    .findFirst()
                    .orElseThrow();
            byte[] content = Files.readAllBytes(shard);
            content[content.length - 1] ^= 1;
            Files.write(shard, content);
        }
        // When
        publish(2, second, delta);
        // Then
        assertThat(weights.newestIsLoadable()).isFalse();
        assertThat(weights.trouble())
                .hasValueSatisfying(text -> assertThat(text).contains("version 2 cannot be verified"));
        assertThat(changedTensor(folder.resolve("local"))).isEqualTo(changedTensor(first));
    }

    private WeightSource loadable() {
        return weights.loadable().orElseThrow();
    }

    private void publish(int version, Path directory, WeightDelta delta) throws IOException {
        weights.published(new WeightsPublished(
                "run",
                1,
                version,
                version,
                Transport.DISK_DELTA,
                directory.toString(),
                Manifest.write(directory),
                null,
                delta == null ? new WeightDelta(version - 1, "/never/written", "", 0) : delta));
        core.settle();
    }

    /** The model with one tensor that says which version it is. */
    private Path whole(int version) throws IOException {
        Path directory = Files.createDirectories(folder.resolve("v" + version));
        try (Stream<Path> files = Files.list(MODEL)) {
            for (Path file : files.toList()) {
                Files.copy(file, directory.resolve(file.getFileName().toString()));
            }
        }
        try (HuggingFaceCheckpoint model = HuggingFaceCheckpoint.open(directory)) {
            TensorEntry entry = model.tensors().get(CHANGED);
            var place = model.place(CHANGED);
            byte[] shard = Files.readAllBytes(place.file());
            shard[(int) place.position()] = (byte) version;
            Files.write(place.file(), shard);
            assertThat(entry.bytes()).isPositive();
        }
        return directory;
    }

    private WeightDelta delta(int base, Path from, int version, Path to) {
        Path stream = folder.resolve("deltas");
        WeightVersion next = new WeightVersion(version);
        try (HuggingFaceCheckpoint before = HuggingFaceCheckpoint.open(from);
                HuggingFaceCheckpoint after = HuggingFaceCheckpoint.open(to)) {
            List<? extends TensorSource> tensors =
                    after.tensors().keySet().stream().map(after::source).toList();
            DeltaFigures figures = DeltaWriter.write(before, tensors, stream, next, DeltaOptions.standard());
            assertThat(figures.changedTensors()).isEqualTo(1);
            Path written = next.directory(stream);
            return new WeightDelta(base, written.toString(), Manifest.write(written), figures.wireBytes());
        }
    }

    private static ByteBuffer changedTensor(Path directory) {
        try (HuggingFaceCheckpoint model = HuggingFaceCheckpoint.open(directory)) {
            ByteBuffer data = model.data(CHANGED);
            return ByteBuffer.allocate(data.remaining()).put(data).flip();
        }
    }
}
