package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import dev.sluice.checkpoint.ByteRange;
import dev.sluice.checkpoint.ForeignBytes;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.io.TempDir;

/** Readers of deltas from elsewhere; {@link DeltaCorpusTest} replays what was found. */
class DeltaFuzz {
    private static final int TENSOR_BYTES = 300;

    @TempDir
    Path folder;

    private final XorDecoder xor = new XorDecoder();
    private final OverwriteDecoder overwrite = new OverwriteDecoder();

    @FuzzTest(maxDuration = "10m")
    void xorFrame(byte[] bytes) {
        apply(bytes, xor);
    }

    @FuzzTest(maxDuration = "10m")
    void overwriteFrame(byte[] bytes) {
        apply(bytes, overwrite);
    }

    private static void apply(byte[] bytes, TensorDecoder decoder) {
        ByteBuffer frame = ByteBuffer.allocateDirect(bytes.length).put(bytes).flip();
        StoredDelta delta = new StoredDelta(Path.of("some.safetensors"), "w", ByteRange.of(frame), "00000000");
        ForeignBytes.check(bytes.length, "some.safetensors: tensor w", () -> {
            Region first = new Region(new byte[TENSOR_BYTES]);
            TensorDigest digest = DeltaChecksum.ADLER32.start();
            decoder.apply(delta, first, digest);
            TensorDigest expected = DeltaChecksum.ADLER32.start();
            expected.update(first.content, TENSOR_BYTES);
            assertThat(digest.hex()).isEqualTo(expected.hex());

            // The same delta over ones: xor is its own inverse, and overwritten bytes are the same ones.
            Region second = new Region(new byte[TENSOR_BYTES]);
            Arrays.fill(second.content, (byte) -1);
            decoder.apply(delta, second, DeltaChecksum.ADLER32.start());
            for (int i = 0; i < TENSOR_BYTES; i++) {
                byte over = second.content[i];
                assertThat(over).isIn((byte) ~first.content[i], first.content[i]);
            }
        });
    }

    @FuzzTest(maxDuration = "10m")
    void index(byte[] bytes) {
        Path path = ForeignBytes.file(folder, DeltaIndex.FILE, bytes);
        ForeignBytes.check(bytes.length, path.toString(), () -> {
            DeltaIndex.isIn(folder);
            DeltaIndex index = DeltaIndex.read(folder);
            index.fileOfTensor()
                    .values()
                    .forEach(name -> assertThat(folder.resolve(name).normalize().getParent())
                            .isEqualTo(folder));
            ForeignBytes.file(folder, DeltaIndex.FILE, index.json());
            assertThat(DeltaIndex.read(folder)).isEqualTo(index);
        });
    }

    private record Region(byte[] content) implements TensorRegion {
        @Override
        public long bytes() {
            return content.length;
        }

        @Override
        public void read(long position, ByteBuffer window) {
            window.put(content, (int) position, window.remaining());
        }

        @Override
        public void write(long position, ByteBuffer window) {
            window.get(content, (int) position, window.remaining());
        }
    }
}
