package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.HuggingFaceWriter;
import dev.sluice.checkpoint.Json;
import dev.sluice.checkpoint.TensorSource;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/** Models of random bytes and their successors. */
final class RandomModels {
    private static final DType[] TYPES = {DType.BF16, DType.F32, DType.F8_E4M3, DType.I64, DType.BOOL};

    private final Random random;

    RandomModels(long seed) {
        this.random = new Random(seed);
    }

    /** Tensors of random shapes, some empty, some larger than a comparison window. */
    List<TensorSource> tensors(int count) {
        List<TensorSource> tensors = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            DType dtype = TYPES[random.nextInt(TYPES.length)];
            List<Long> shape = switch (random.nextInt(5)) {
                case 0 -> List.of();
                case 1 -> List.of(0L, 3L);
                case 2 -> List.of(1L + random.nextInt(500), 1L + random.nextInt(700));
                default -> List.of(1L + random.nextInt(40), 1L + random.nextInt(9), 1L + random.nextInt(9));
            };
            long elements = shape.stream().reduce(1L, (a, b) -> a * b);
            byte[] bytes = new byte[(int) elements * dtype.bytes()];
            random.nextBytes(bytes);
            tensors.add(TensorSource.of("layer." + i + ".weight", dtype, shape, ByteBuffer.wrap(bytes)));
        }
        return tensors;
    }

    /** The same tensors, of which some stay and the others have each byte changed with the given probability. */
    List<TensorSource> successor(Path model, double density) {
        try (HuggingFaceCheckpoint before = HuggingFaceCheckpoint.open(model)) {
            List<TensorSource> next = new ArrayList<>();
            before.tensors().forEach((name, tensor) -> {
                byte[] bytes = new byte[(int) tensor.bytes()];
                before.data(name).get(bytes);
                boolean frozen = random.nextInt(4) == 0;
                for (int i = 0; i < bytes.length && !frozen; i++) {
                    if (random.nextDouble() < density) {
                        bytes[i] ^= (byte) (1 + random.nextInt(255));
                    }
                }
                next.add(TensorSource.of(name, tensor.dtype(), tensor.shape(), ByteBuffer.wrap(bytes)));
            });
            return next;
        }
    }

    /** In several shards, so that tensors lie in different files. */
    static Path write(Path directory, List<TensorSource> tensors) {
        HuggingFaceWriter.write(
                directory, Json.MAPPER.createObjectNode().put("model_type", "random"), tensors, 100_000);
        return directory;
    }
}
