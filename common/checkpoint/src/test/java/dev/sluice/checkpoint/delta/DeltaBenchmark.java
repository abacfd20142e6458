package dev.sluice.checkpoint.delta;

import com.dynatrace.hash4j.hashing.Hashing;
import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdCompressCtx;
import com.github.luben.zstd.ZstdDecompressCtx;
import dev.sluice.checkpoint.ByteRange;
import dev.sluice.checkpoint.DType;
import dev.sluice.checkpoint.TensorSource;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One core's encoding and applying of deltas beside zstd and XXH3 alone on the same payloads and tensors, taken in turns. Runs only when it is asked for:
 * {@code ./mvnw -pl common/checkpoint -am test -Dtest=DeltaBenchmark -Dsurefire.failIfNoSpecifiedTests=false
 * -Dtest.jvm="-Xmx2g --enable-native-access=ALL-UNNAMED"}; without the last option the compiler is the quick one of the tests and the figures are too low.
 */
class DeltaBenchmark {
    private static final int TENSOR_BYTES = 64 << 20;
    /** Processor time of this thread, so that a busy machine takes less of the figures away. */
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private static final int WARM_UP = 5;
    private static final int MEASURED = 15;

    @TempDir
    Path folder;

    private interface Work {
        void run() throws IOException;
    }

    @Test
    void printsThroughputPerCoreAndShareOfTheLibrariesAlone() throws IOException {
        System.out.printf(
                "%-10s %8s %8s | %13s %13s %6s | %12s %13s %6s%n",
                "encoding", "changed", "wire", "encode GB/s", "libraries", "ratio", "apply GB/s", "libraries", "ratio");
        for (DeltaEncoding encoding : DeltaEncoding.values()) {
            for (double density : new double[] {0.01, 0.1, 1}) {
                measure(encoding, density);
            }
        }
    }

    private void measure(DeltaEncoding encoding, double density) throws IOException {
        byte[] old = weights();
        byte[] fresh = updated(old, density);
        ByteBuffer base = direct(old);
        TensorSource next = TensorSource.of("w", DType.BF16, List.of(TENSOR_BYTES / 2L), direct(fresh));
        DeltaOptions options = new DeltaOptions(encoding, DeltaChecksum.XXH3_128, 1);
        Path spools = Files.createTempDirectory(folder, "spools");
        try (TensorEncoder encoder = TensorEncoder.open(options, spools, 0)) {
            EncodedTensor encoded = encoder.encode(next, ByteRange.of(base));
            CollectingChannel frame = new CollectingChannel();
            encoded.writeTo(frame);
            StoredDelta stored =
                    new StoredDelta(Path.of("delta"), "w", ByteRange.of(direct(frame.bytes())), encoded.checksum());
            Libraries libraries = new Libraries(direct(frame.bytes()), fresh);

            double[] encode = alternate(() -> encodeAgain(encoder, next, base), libraries::compressAndHash);
            MemoryRegion region = new MemoryRegion(direct(old));
            TensorDecoder decoder = TensorDecoder.of(encoding);
            double[] apply = alternate(
                    () -> decoder.apply(stored, region, DeltaChecksum.XXH3_128.start()), libraries::decompressAndHash);
            System.out.printf(
                    "%-10s %6.0f %% %6.2f %% | %13.2f %13.2f %6.2f | %12.2f %13.2f %6.2f%n",
                    encoding.text(),
                    density * 100,
                    100.0 * encoded.bytes() / TENSOR_BYTES,
                    encode[0],
                    encode[1],
                    encode[0] / encode[1],
                    apply[0],
                    apply[1],
                    apply[0] / apply[1]);
        }
    }

    private static void encodeAgain(TensorEncoder encoder, TensorSource next, ByteBuffer base) throws IOException {
        encoder.frames.truncate(0);
        encoder.encode(next, ByteRange.of(base));
    }

    /** Median GB of tensor a second of both. */
    private static double[] alternate(Work ours, Work libraries) throws IOException {
        double[] left = new double[MEASURED];
        double[] right = new double[MEASURED];
        for (int i = -WARM_UP; i < MEASURED; i++) {
            double one = gigabytesPerSecond(ours);
            double other = gigabytesPerSecond(libraries);
            if (i >= 0) {
                left[i] = one;
                right[i] = other;
            }
        }
        Arrays.sort(left);
        Arrays.sort(right);
        return new double[] {left[MEASURED / 2], right[MEASURED / 2]};
    }

    private static double gigabytesPerSecond(Work work) throws IOException {
        long start = THREADS.getCurrentThreadCpuTime();
        work.run();
        return (double) TENSOR_BYTES / (THREADS.getCurrentThreadCpuTime() - start);
    }

    /** bf16 of normal numbers with the spread of an initialised layer. */
    private static byte[] weights() {
        Random random = new Random(1);
        ByteBuffer bytes = ByteBuffer.allocate(TENSOR_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (bytes.hasRemaining()) {
            bytes.putShort((short) (Float.floatToRawIntBits((float) random.nextGaussian() * 0.02f) >>> 16));
        }
        return bytes.array();
    }

    /** A share of the values moves to a neighbouring bf16, as a small update does. */
    private static byte[] updated(byte[] old, double density) {
        Random random = new Random(2);
        ByteBuffer bytes = ByteBuffer.wrap(old.clone()).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < TENSOR_BYTES; i += 2) {
            if (random.nextDouble() < density) {
                bytes.putShort(i, (short) (bytes.getShort(i) + (random.nextBoolean() ? 1 : -1)));
            }
        }
        return bytes.array();
    }

    private static ByteBuffer direct(byte[] bytes) {
        return ByteBuffer.allocateDirect(bytes.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(bytes)
                .flip();
    }

    private record MemoryRegion(ByteBuffer memory) implements TensorRegion {
        @Override
        public long bytes() {
            return memory.limit();
        }

        @Override
        public void read(long position, ByteBuffer window) {
            window.put(memory.slice((int) position, window.remaining()));
        }

        @Override
        public void write(long position, ByteBuffer window) {
            memory.put((int) position, window, window.position(), window.remaining());
        }
    }

    /** One call of zstd for the whole payload and one of XXH3 for the whole tensor, nothing else. */
    private static final class Libraries {
        private final ByteBuffer frame;
        private final ByteBuffer payload;
        private final ByteBuffer compressed;
        private final byte[] tensor;
        private final ZstdCompressCtx compressor = new ZstdCompressCtx().setLevel(1);
        private final ZstdDecompressCtx decompressor = new ZstdDecompressCtx();

        Libraries(ByteBuffer frame, byte[] tensor) {
            this.frame = frame;
            this.tensor = tensor;
            int payloadBytes = (int) Zstd.getDirectByteBufferFrameContentSize(frame, 0, frame.limit());
            this.payload = ByteBuffer.allocateDirect(payloadBytes);
            decompressor.decompressDirectByteBuffer(payload, 0, payloadBytes, frame, 0, frame.limit());
            this.compressed = ByteBuffer.allocateDirect((int) Zstd.compressBound(payloadBytes));
        }

        void compressAndHash() {
            compressor.compressDirectByteBuffer(compressed, 0, compressed.capacity(), payload, 0, payload.capacity());
            Hashing.xxh3_128().hashBytesTo128Bits(tensor);
        }

        void decompressAndHash() {
            decompressor.decompressDirectByteBuffer(payload, 0, payload.capacity(), frame, 0, frame.limit());
            Hashing.xxh3_128().hashBytesTo128Bits(tensor);
        }
    }
}
