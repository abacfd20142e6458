package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.checkpoint.CheckpointException;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

class DeltaRoundTripTest {
    private static final double[] DENSITIES = {0.001, 0.5, 0, 1};

    @TempDir
    Path folder;

    static Stream<Arguments> encodings() {
        return Stream.of(DeltaEncoding.values())
                .flatMap(encoding -> Stream.of(DeltaChecksum.values()).map(sum -> Arguments.of(encoding, sum)));
    }

    @ParameterizedTest
    @MethodSource("encodings")
    void aChainOfDeltasBringsBackEveryVersion(DeltaEncoding encoding, DeltaChecksum checksum) {
        // Given four versions of a random model
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        RandomModels models = new RandomModels(seed);
        Path stream = folder.resolve("stream");
        Path model = RandomModels.write(folder.resolve("v0"), models.tensors(12));
        DeltaOptions options = new DeltaOptions(encoding, checksum, 3);

        for (int version = 1; version <= DENSITIES.length; version++) {
            List<TensorSource> next = models.successor(model, DENSITIES[version - 1]);

            // When
            DeltaFigures figures;
            try (HuggingFaceCheckpoint base = HuggingFaceCheckpoint.open(model)) {
                figures = DeltaWriter.write(base, next, stream, new WeightVersion(version), options);
            }
            Path applied = folder.resolve("applied-" + version);
            DeltaChain chain = DeltaChain.between(stream, new WeightVersion(0), new WeightVersion(version));
            chain.apply(folder.resolve("v0"), applied, 2);

            // Then
            assertThat(applied).satisfies(directory -> assertHolds(directory, next, seed));
            assertThat(figures.changedBytes()).isEqualTo(differingBytes(model, next));
            chain.verify(folder.resolve("v0"), applied, 2);
            model = RandomModels.write(folder.resolve("v" + version), next);
        }
    }

    @ParameterizedTest
    @EnumSource
    void changesThatOneEncoderDoesNotHoldInMemoryComeBackToo(DeltaEncoding encoding) {
        // Given tensors that change wholly, each longer than what an encoder holds, the later ones shorter than the one
        // before
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        List<TensorSource> old = new ArrayList<>();
        List<TensorSource> next = new ArrayList<>();
        for (int bytes : new int[] {(9 << 20) + 13, (5 << 20) + random.nextInt(1000), 100}) {
            byte[] before = new byte[bytes];
            random.nextBytes(before);
            byte[] after = before.clone();
            for (int i = 0; i < bytes; i++) {
                after[i] ^= (byte) (1 + random.nextInt(255));
            }
            old.add(TensorSource.of("w" + bytes, DType.U8, List.of((long) bytes), ByteBuffer.wrap(before)));
            next.add(TensorSource.of("w" + bytes, DType.U8, List.of((long) bytes), ByteBuffer.wrap(after)));
        }
        Path base = RandomModels.write(folder.resolve("base"), old);

        // When
        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(base)) {
            DeltaOptions oneEncoder = new DeltaOptions(encoding, DeltaChecksum.XXH3_128, 1);
            DeltaWriter.write(opened, next, folder, new WeightVersion(1), oneEncoder);
        }
        DeltaChain.between(folder, new WeightVersion(0), new WeightVersion(1)).apply(base, folder.resolve("new"), 1);

        // Then
        assertHolds(folder.resolve("new"), next, seed);
    }

    @Test
    void aTensorThatIsNotComparedStays() {
        // Given
        RandomModels models = new RandomModels(7);
        Path base = RandomModels.write(folder.resolve("base"), models.tensors(6));
        List<TensorSource> all = models.successor(base, 1);

        // When only the first is compared
        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(base)) {
            DeltaWriter.write(opened, all.subList(0, 1), folder, new WeightVersion(1), DeltaOptions.standard());
        }

        // Then
        DeltaChain.between(folder, new WeightVersion(0), new WeightVersion(1)).apply(base, folder.resolve("new"), 1);
        List<TensorSource> expected = new RandomModels(7).tensors(6);
        expected.set(0, all.getFirst());
        assertHolds(folder.resolve("new"), expected, 7);
    }

    @Test
    void aTensorOfAnotherNameTypeOrShapeNeedsAWholeVersion() {
        // Given
        Path base = RandomModels.write(
                folder.resolve("base"), List.of(TensorSource.of("a", DType.BF16, List.of(4L), ByteBuffer.allocate(8))));
        List<TensorSource> foreign = List.of(
                TensorSource.of("b", DType.BF16, List.of(4L), ByteBuffer.allocate(8)),
                TensorSource.of("a", DType.F16, List.of(4L), ByteBuffer.allocate(8)),
                TensorSource.of("a", DType.BF16, List.of(2L, 2L), ByteBuffer.allocate(8)));

        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(base)) {
            for (TensorSource tensor : foreign) {
                // Then
                assertThatThrownBy(() -> write(opened, List.of(tensor)))
                        .isInstanceOf(CheckpointException.class)
                        .hasMessageContaining("publish a whole version");
            }
            TensorSource twice = TensorSource.of("a", DType.BF16, List.of(4L), ByteBuffer.allocate(8));
            assertThatThrownBy(() -> write(opened, List.of(twice, twice))).hasMessage("two new tensors are named a");
        }
        assertThat(folder.toFile().list()).containsExactly("base");
    }

    @Test
    void aSourceThatBreaksItsWordLeavesNoVersionBehind() {
        // Given sources that write one byte too few and one too many
        Path base = RandomModels.write(
                folder.resolve("base"), List.of(TensorSource.of("a", DType.U8, List.of(4L), ByteBuffer.allocate(4))));

        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(base)) {
            // Then
            assertThatThrownBy(() -> write(opened, List.of(new Wrong(3))))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("tensor a: 4 bytes expected, 3 written");
            assertThatThrownBy(() -> write(opened, List.of(new Wrong(5))))
                    .isInstanceOf(CheckpointException.class)
                    .hasMessageContaining("a tensor of 4 bytes writes 5 at byte 0");
        }
        assertThat(folder.toFile().list()).containsExactly("base");
    }

    @Test
    void aVersionIsNotOverwritten() {
        // Given
        RandomModels models = new RandomModels(3);
        Path base = RandomModels.write(folder.resolve("base"), models.tensors(2));

        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(base)) {
            List<TensorSource> next = models.successor(base, 1);
            write(opened, next);

            // Then
            assertThatThrownBy(() -> write(opened, next)).hasMessageContaining("weight_v000001 exists already");
        }
    }

    @Test
    void theVersionOfTheBaseIsNoDelta() {
        assertThatThrownBy(() -> new WeightVersion(0).previous()).hasMessageContaining("weight version -1 is negative");
    }

    private void write(HuggingFaceCheckpoint base, List<TensorSource> next) {
        DeltaWriter.write(base, next, folder, new WeightVersion(1), DeltaOptions.standard());
    }

    static void assertHolds(Path directory, List<TensorSource> expected, long seed) {
        try (HuggingFaceCheckpoint found = HuggingFaceCheckpoint.open(directory)) {
            assertThat(found.tensors()).hasSameSizeAs(expected);
            for (TensorSource tensor : expected) {
                assertThat(found.data(tensor.name()))
                        .as("%s, seed %d", tensor.name(), seed)
                        .isEqualTo(ByteBuffer.wrap(bytes(tensor)));
            }
        }
    }

    private static long differingBytes(Path model, List<TensorSource> next) {
        long differing = 0;
        try (HuggingFaceCheckpoint before = HuggingFaceCheckpoint.open(model)) {
            for (TensorSource tensor : next) {
                byte[] after = bytes(tensor);
                ByteBuffer old = before.data(tensor.name());
                for (int i = 0; i < after.length; i++) {
                    differing += after[i] == old.get(i) ? 0 : 1;
                }
            }
        }
        return differing;
    }

    private static byte[] bytes(TensorSource tensor) {
        CollectingChannel channel = new CollectingChannel();
        try {
            tensor.writeTo(channel);
        } catch (IOException e) {
            throw new IllegalStateException("memory never fails", e);
        }
        return channel.bytes();
    }

    /** Announces four bytes. */
    private record Wrong(int written) implements TensorSource {
        @Override
        public String name() {
            return "a";
        }

        @Override
        public DType dtype() {
            return DType.U8;
        }

        @Override
        public List<Long> shape() {
            return List.of(4L);
        }

        @Override
        public void writeTo(java.nio.channels.WritableByteChannel out) throws IOException {
            out.write(ByteBuffer.allocate(written));
        }
    }
}
