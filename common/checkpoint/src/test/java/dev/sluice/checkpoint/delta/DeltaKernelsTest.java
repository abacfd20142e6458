package dev.sluice.checkpoint.delta;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.checkpoint.ByteRange;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeltaKernelsTest {
    @Test
    void wordsAreComparedAsTheirBytesWouldBe() {
        // Given every pattern of changed bytes, with the smallest, the largest and a random difference
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int pattern = 0; pattern < 256; pattern++) {
            for (int value : List.of(1, 0x80, 0xff, 1 + random.nextInt(255))) {
                long difference = 0;
                for (int i = 0; i < 8; i++) {
                    difference |= (pattern >>> i & 1) == 0 ? 0 : (long) value << (8 * i);
                }
                byte[] old = new byte[16];
                random.nextBytes(old);
                byte[] fresh = old.clone();
                byte[] marks = new byte[16];
                for (int i = 0; i < 8; i++) {
                    fresh[i] ^= (byte) (difference >>> (8 * i));
                    marks[i] = (byte) -(pattern >>> i & 1);
                }
                byte[] xored = old.clone();
                byte[] marked = old.clone();

                // When
                int changed = ByteDifference.xor(xored, fresh, 8);
                int differing = ByteDifference.mark(marked, fresh, 8);

                // Then
                assertThat(changed).as("seed %d", seed).isEqualTo(Integer.bitCount(pattern));
                assertThat(differing).isEqualTo(changed);
                assertThat((long) LittleEndian.LONG.get(xored, 0)).isEqualTo(difference);
                assertThat(Arrays.copyOf(marked, 8)).isEqualTo(Arrays.copyOf(marks, 8));
                assertThat(ByteDifference.marks(pattern)).isEqualTo((long) LittleEndian.LONG.get(marked, 0));
                assertThat(Arrays.copyOfRange(xored, 8, 16))
                        .as("what lies after the words")
                        .isEqualTo(Arrays.copyOfRange(old, 8, 16))
                        .isEqualTo(Arrays.copyOfRange(marked, 8, 16));
            }
        }
    }

    @Test
    void aGroupsMarksBecomeBitsAndTheirRunningCounts() {
        // Given
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        for (int density = 0; density <= 8; density++) {
            byte[] marks = new byte[3 * 64];
            for (int i = 0; i < marks.length; i++) {
                marks[i] = (byte) (random.nextInt(8) < density ? -1 : 0);
            }
            BitSet expected = new BitSet();
            IntStream.range(0, 64).filter(i -> marks[64 + i] != 0).forEach(expected::set);

            // When
            long mask = ByteDifference.mask(marks, 64);
            long counts = ByteDifference.runningCounts(mask);

            // Then
            assertThat(mask).as("seed %d", seed).isEqualTo(expected.isEmpty() ? 0 : expected.toLongArray()[0]);
            for (int i = 0; i < 8; i++) {
                assertThat(counts >>> (8 * i) & 0xff)
                        .isEqualTo(expected.get(0, 8 * (i + 1)).cardinality());
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 9, 100, 4001})
    void positionsComeBackAsTheyWereAddedUnlessOneDoesNotFollow(int count) {
        // Given
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        long bytes = 100L * count;
        byte[] positions = new byte[4 * count];
        int next = random.nextInt(10);
        for (int i = 0; i < count; i++) {
            LittleEndian.INT.set(positions, 4 * i, next);
            next += 1 + random.nextInt(90);
        }
        ChangedBytes changed = new ChangedBytes();
        changed.reset(bytes);

        // When
        int sound = changed.add(positions, count, -1, bytes);

        // Then
        assertThat(sound).as("seed %d", seed).isEqualTo(count);
        byte[] read = new byte[4 * (count + ChangedBytes.GROUP)];
        int taken = 0;
        for (int group = 0; group < changed.groups(); group++) {
            taken = changed.positions(group, read, taken);
        }
        assertThat(taken).isEqualTo(count);
        assertThat(Arrays.copyOf(read, 4 * count)).isEqualTo(positions);
        for (int i = 1; i < count; i++) {
            byte[] repeated = positions.clone();
            System.arraycopy(repeated, 4 * (i - 1), repeated, 4 * i, 4);
            assertThat(changed.add(repeated, count, -1, bytes)).isEqualTo(i);
            // Negative if it had a sign, and then it would not follow.
            LittleEndian.INT.set(repeated, 4 * i, 1 << 31);
            assertThat(changed.add(repeated, count, -1, 1L << 31)).isEqualTo(i);
        }
        assertThat(changed.add(positions, count, ChangedBytes.position(positions, 0), bytes))
                .isZero();
        assertThat(changed.add(positions, count, -1, ChangedBytes.position(positions, count - 1)))
                .isEqualTo(count - 1);
    }

    /** The published test vectors for empty input: xxHash, the BLAKE3 paper, RFC 1950; for abc those of the reference command lines. */
    @ParameterizedTest
    @CsvSource({
        "XXH3_128, '', 99aa06d3014798d86001c324468d497f",
        "XXH3_128, abc, 06b05ab6733a618578af5f94892f3950",
        "BLAKE3, '', af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262",
        "BLAKE3, abc, 6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85",
        "ADLER32, '', 00000001",
        "ADLER32, abc, 024d0127"
    })
    void checksumsAreThoseOfTheReferenceImplementations(DeltaChecksum kind, String text, String expected) {
        TensorDigest digest = kind.start();
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        digest.update(bytes, bytes.length);
        assertThat(digest.hex()).isEqualTo(expected);
        assertThat(kind.accepts(expected)).isTrue();
    }

    /** Examples computed by hand from RFC 8878, section 3.1.1.1.2. */
    @ParameterizedTest
    @CsvSource({
        "28b52ffd 00 0b 00, -1, 2816",
        "28b52ffd 20 05 00, 5, 5",
        "28b52ffd 60 0001 00, 512, 512",
        "28b52ffd 40 48 0001, 512, 524288",
        "28b52ffd 80 48 00000100, 65536, 524288",
        "28b52ffd c0 48 0000000001000000, 4294967296, 524288"
    })
    void frameHeadersTellContentAndWindow(String hex, long content, long window) {
        byte[] bytes = java.util.HexFormat.of().parseHex(hex.replace(" ", ""));
        StoredDelta delta = new StoredDelta(java.nio.file.Path.of("f"), "w", ByteRange.of(ByteBuffer.wrap(bytes)), "");

        FrameHeader header = FrameHeader.read(delta);

        assertThat(header.contentBytes().orElse(-1)).isEqualTo(content);
        assertThat(header.windowBytes()).isEqualTo(window);
    }

    @Test
    void densityIsTheShareOfChangedBytes() {
        assertThat(new DeltaFigures(1, 2, 25, 100, 40).density()).isEqualTo(0.25);
        assertThat(new DeltaFigures(0, 0, 0, 0, 0).density()).isZero();
    }

    @Test
    void versionsHaveSixDigitsOrMore() {
        assertThat(new WeightVersion(7).directory(java.nio.file.Path.of("s")))
                .isEqualTo(java.nio.file.Path.of("s", "weight_v000007"));
        assertThat(new WeightVersion(12_345_678).digits()).isEqualTo("12345678");
    }
}
