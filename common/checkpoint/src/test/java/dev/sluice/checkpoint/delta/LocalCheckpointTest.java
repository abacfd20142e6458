package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LocalCheckpointTest {
    private static final WeightVersion ZERO = new WeightVersion(0);
    private static final WeightVersion ONE = new WeightVersion(1);
    private static final WeightVersion TWO = new WeightVersion(2);
    private static final WeightVersion THREE = new WeightVersion(3);

    @TempDir
    Path folder;

    private Path stream;
    private LocalCheckpoint local;
    private final List<List<TensorSource>> versions = new ArrayList<>();

    @BeforeEach
    void publishThreeDeltas() {
        RandomModels models = new RandomModels(11);
        stream = folder.resolve("stream");
        versions.add(models.tensors(8));
        Path model = RandomModels.write(folder.resolve("base"), versions.getFirst());
        for (int version = 1; version <= 3; version++) {
            List<TensorSource> next = models.successor(model, 0.3);
            try (HuggingFaceCheckpoint base = HuggingFaceCheckpoint.open(model)) {
                DeltaWriter.write(base, next, stream, new WeightVersion(version), DeltaOptions.standard());
            }
            versions.add(next);
            model = RandomModels.write(folder.resolve("whole-" + version), next);
        }
        local = new LocalCheckpoint(folder.resolve("local"), folder.resolve("base"));
    }

    @Test
    void theFirstPullCopiesTheBaseAndLaterOnesPatchTheCopy() throws IOException {
        // When
        PulledWeights base = local.pull(stream, ZERO, 2);
        PulledWeights first = local.pull(stream, ONE, 2);
        PulledWeights last = local.pull(stream, THREE, 2);
        PulledWeights again = local.pull(stream, THREE, 2);

        // Then
        assertThat(base).isEqualTo(new PulledWeights(ZERO, true, 0, 0));
        assertThat(first).isEqualTo(new PulledWeights(ONE, false, 1, wireBytes(ONE)));
        assertThat(last).isEqualTo(new PulledWeights(THREE, false, 2, wireBytes(TWO) + wireBytes(THREE)));
        assertThat(again).isEqualTo(new PulledWeights(THREE, false, 0, 0));
        assertThat(local.version()).contains(THREE);
        assertHolds(3);
        assertThat(folder.resolve("local/.weight_sync/state.json")).hasContent("{\"version\": \"000003\"}");
        assertThat(folder.resolve("local/config.json")).exists();
    }

    @Test
    void aCopyThatWasCutOffIsMadeAnewFromTheBase() throws IOException {
        // Given version 1, of which some bytes are those of version 2 already
        local.pull(stream, ONE, 1);
        new VersionMarker(local.directory()).remove();
        Path shard = someShard();
        try (FileChannel file = FileChannel.open(shard, StandardOpenOption.WRITE)) {
            file.write(java.nio.ByteBuffer.allocate(64), file.size() - 64);
        }
        assertThat(local.version()).isEmpty();

        // When
        PulledWeights pulled = local.pull(stream, TWO, 2);

        // Then
        assertThat(pulled.restarted()).isTrue();
        assertThat(pulled.deltas()).isEqualTo(2);
        assertHolds(2);
    }

    @Test
    void aDamagedCopyIsNoticedAndMadeAnewByTheNextPull() throws IOException {
        // Given a copy that claims to be version 1 and is damaged
        local.pull(stream, ONE, 1);
        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(local.directory());
                DeltaCheckpoint delta = DeltaCheckpoint.open(TWO.directory(stream))) {
            var place = opened.place(delta.checksums().firstKey());
            try (FileChannel file = FileChannel.open(place.file(), StandardOpenOption.WRITE)) {
                file.write(java.nio.ByteBuffer.wrap(new byte[] {1, 2, 3}), place.position());
            }
        }

        // When
        assertThatThrownBy(() -> local.pull(stream, TWO, 2))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("have another xxh3-128 than")
                .hasMessageContaining("weight_v000002");

        // Then
        assertThat(local.version()).isEmpty();
        assertThat(local.pull(stream, TWO, 2).restarted()).isTrue();
        assertHolds(2);
    }

    @Test
    void aRefusedDeltaLeavesTheCopyAtItsVersion() throws IOException {
        // Given
        local.pull(stream, ONE, 1);
        Path file = TWO.directory(stream).resolve("model-00000-of-00001.safetensors");
        try (FileChannel cut = FileChannel.open(file, StandardOpenOption.WRITE)) {
            cut.truncate(cut.size() - 1);
        }

        // When
        assertThatThrownBy(() -> local.pull(stream, TWO, 2)).hasMessageContaining("truncated");

        // Then
        assertThat(local.version()).contains(ONE);
        assertHolds(1);
    }

    @Test
    void aWholeVersionInTheStreamIsTheNewStart() throws IOException {
        // Given version 2 as a whole checkpoint, as a restarted trainer publishes it
        Path second = TWO.directory(stream);
        CheckpointCopy.into(folder.resolve("whole-2"), second);
        local.pull(stream, ONE, 1);

        // When
        PulledWeights pulled = local.pull(stream, THREE, 1);

        // Then
        assertThat(pulled).isEqualTo(new PulledWeights(THREE, true, 1, wireBytes(THREE)));
        assertHolds(3);
        assertThatThrownBy(() -> DeltaChain.between(stream, ONE, THREE))
                .hasMessageContaining("weight_v000002 is a whole checkpoint");
    }

    @Test
    void anEarlierVersionIsMadeFromTheBase() throws IOException {
        // Given
        local.pull(stream, THREE, 1);

        // When
        PulledWeights pulled = local.pull(stream, ONE, 1);

        // Then
        assertThat(pulled.restarted()).isTrue();
        assertThat(local.version()).contains(ONE);
        assertHolds(1);
    }

    @Test
    void aMissingVersionIsNamedBeforeAnythingChanges() throws IOException {
        // Given
        local.pull(stream, ONE, 1);

        // When
        assertThatThrownBy(() -> local.pull(stream, new WeightVersion(4), 1))
                .hasMessageContaining("weight_v000004 is missing");

        // Then
        assertThat(local.version()).contains(ONE);
        assertHolds(1);
    }

    @Test
    void twoPullsIntoOneCopyDoNotMix() throws IOException {
        // Given a pull that holds the lock
        local.pull(stream, ZERO, 1);
        Path lock = new VersionMarker(local.directory()).lockFile();
        try (FileChannel channel = FileChannel.open(lock, StandardOpenOption.WRITE);
                var held = channel.lock()) {
            assertThat(held.isValid()).isTrue();

            // Then
            assertThatThrownBy(() -> local.pull(stream, ONE, 1)).hasMessageContaining("another pull into");
        }
    }

    @Test
    void linksOfTheBaseAreNotPatchedThrough() throws IOException {
        // Given a base of links, as the Hugging Face cache holds it, and its copy
        Path linked = Files.createDirectory(folder.resolve("linked"));
        try (var files = Files.list(folder.resolve("base"))) {
            for (Path file : files.toList()) {
                Files.createSymbolicLink(linked.resolve(file.getFileName()), file);
            }
        }
        LocalCheckpoint copy = new LocalCheckpoint(folder.resolve("copy"), linked);

        // When
        copy.pull(stream, THREE, 1);

        // Then
        DeltaRoundTripTest.assertHolds(folder.resolve("copy"), versions.get(3), 11);
        DeltaRoundTripTest.assertHolds(folder.resolve("base"), versions.getFirst(), 11);
        new VersionMarker(linked).write(ZERO);
        assertThatThrownBy(() -> new LocalCheckpoint(linked, folder.resolve("base")).pull(stream, ONE, 1))
                .hasMessageContaining("cannot patch");
        DeltaRoundTripTest.assertHolds(folder.resolve("base"), versions.getFirst(), 11);
    }

    @Test
    void theBaseItselfIsNotPatched() {
        assertThatThrownBy(() -> new LocalCheckpoint(folder.resolve("x/../base"), folder.resolve("base")))
                .hasMessageContaining("is the base itself");
    }

    @Test
    void verificationNamesEveryTensorThatDiffers() {
        // Given a chain up to version 2 and the whole of version 3
        DeltaChain chain = DeltaChain.between(stream, ZERO, TWO);

        // Then
        assertThatThrownBy(() -> chain.verify(folder.resolve("base"), folder.resolve("whole-3"), 2))
                .isInstanceOf(CheckpointException.class)
                .hasMessageContaining("has xxh3-128")
                .hasMessageContaining("weight_v00000");
    }

    private void assertHolds(int version) {
        DeltaRoundTripTest.assertHolds(local.directory(), versions.get(version), 11);
    }

    private long wireBytes(WeightVersion version) throws IOException {
        return Files.size(version.directory(stream).resolve("model-00000-of-00001.safetensors"));
    }

    private Path someShard() throws IOException {
        try (var files = Files.list(local.directory())) {
            return files.filter(file -> file.toString().endsWith(".safetensors"))
                    .sorted()
                    .findFirst()
                    .orElseThrow();
        }
    }
}
