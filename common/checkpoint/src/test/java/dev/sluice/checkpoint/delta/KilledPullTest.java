package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KilledPullTest {
    private static final WeightVersion ZERO = new WeightVersion(0);
    private static final WeightVersion ONE = new WeightVersion(1);
    private static final int TENSORS = 12;
    private static final int TENSOR_BYTES = 4 << 20;

    @TempDir
    Path folder;

    @Test
    void aProcessThatIsKilledWhileItPatchesLeavesNoCopyThatClaimsToBeWhole() throws Exception {
        // Given a copy of version 0 and a delta that takes a while
        List<TensorSource> next = tensors(2);
        Path base = RandomModels.write(folder.resolve("base"), tensors(1));
        Path stream = folder.resolve("stream");
        try (HuggingFaceCheckpoint opened = HuggingFaceCheckpoint.open(base)) {
            DeltaWriter.write(opened, next, stream, ONE, DeltaOptions.standard());
        }
        LocalCheckpoint local = new LocalCheckpoint(folder.resolve("local"), base);
        local.pull(stream, ZERO, 1);

        // When another process patches it and is killed as soon as it has begun
        Process pull = pullElsewhere(local, stream);
        await().pollInterval(Duration.ofMillis(1))
                .atMost(Duration.ofSeconds(30))
                .until(() -> !local.version().equals(Optional.of(ZERO)));
        pull.destroyForcibly().waitFor();

        // Then it is marked whole only if it is, and the next pull repairs it
        boolean finished = local.version().isPresent();
        if (finished) {
            DeltaRoundTripTest.assertHolds(local.directory(), next, 2);
        }
        PulledWeights repaired = local.pull(stream, ONE, 2);
        assertThat(repaired.restarted()).isEqualTo(!finished);
        DeltaRoundTripTest.assertHolds(local.directory(), next, 2);
    }

    private static List<TensorSource> tensors(long seed) {
        Random random = new Random(seed);
        return IntStream.range(0, TENSORS)
                .mapToObj(i -> {
                    byte[] bytes = new byte[TENSOR_BYTES];
                    random.nextBytes(bytes);
                    return TensorSource.of("w" + i, DType.U8, List.of((long) TENSOR_BYTES), ByteBuffer.wrap(bytes));
                })
                .toList();
    }

    private static Process pullElsewhere(LocalCheckpoint local, Path stream) throws IOException {
        return new ProcessBuilder(
                        ProcessHandle.current().info().command().orElseThrow(),
                        "-XX:TieredStopAtLevel=1",
                        "--enable-native-access=ALL-UNNAMED",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Pull.class.getName(),
                        local.directory().toString(),
                        local.base().toString(),
                        stream.toString())
                .inheritIO()
                .start();
    }

    /** Pulls version 1. */
    static final class Pull {
        private Pull() {}

        public static void main(String[] arguments) {
            new LocalCheckpoint(Path.of(arguments[0]), Path.of(arguments[1])).pull(Path.of(arguments[2]), ONE, 1);
        }
    }
}
