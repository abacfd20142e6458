package dev.sluice.cli;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.FloatTypes;
import dev.sluice.checkpoint.SafetensorsWriter;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Checkpoints that the upstream libraries wrote (common/checkpoint/src/test/fixtures/README.md), copies of them to damage, and small ones of known numbers. */
final class CheckpointFixtures {
    private static final Path ROOT =
            Path.of(System.getProperty("sluice.root", "../.."), "common/checkpoint/src/test/fixtures");

    static final Path HUGGING_FACE = ROOT.resolve("hf_tiny");
    static final Path MEGATRON_016 = ROOT.resolve("torch_dist_mcore016slime_te_names");
    static final Path MEGATRON_020 = ROOT.resolve("torch_dist_mcore020_local");

    private CheckpointFixtures() {}

    static Path copy(Path directory, Path target) throws IOException {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.toList()) {
                Path copied = target.resolve(directory.relativize(file).toString());
                if (Files.isDirectory(file)) {
                    Files.createDirectories(copied);
                } else {
                    Files.copy(file, copied);
                }
            }
        }
        return target;
    }

    static void cutInHalf(Path file) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            open.setLength(open.length() / 2);
        }
    }

    /** Turns over bits of one byte, counted from the end of the file. */
    static void damage(Path file, long fromEnd, int bits) throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file.toFile(), "rw")) {
            long at = open.length() - fromEnd;
            open.seek(at);
            int value = open.read();
            open.seek(at);
            open.write(value ^ bits);
        }
    }

    static Path safetensors(Path file, TensorSource... tensors) {
        SafetensorsWriter.write(file, List.of(tensors), Map.of("format", "pt"));
        return file;
    }

    static TensorSource float32(String name, double... values) {
        ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            data.putFloat((float) value);
        }
        return TensorSource.of(name, DType.F32, List.of((long) values.length), data.flip());
    }

    static TensorSource bfloat16(String name, double... values) {
        ByteBuffer data = ByteBuffer.allocate(2 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        for (double value : values) {
            data.putShort(FloatTypes.toBfloat16((float) value));
        }
        return TensorSource.of(name, DType.BF16, List.of((long) values.length), data.flip());
    }

    static TensorSource bytes(String name, DType type, List<Long> shape, byte... values) {
        return TensorSource.of(name, type, shape, ByteBuffer.wrap(values));
    }

    /** Files below a directory, hidden ones too. */
    static List<String> names(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
