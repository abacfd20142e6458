package dev.sluice.checkpoint.delta;

import static dev.sluice.checkpoint.delta.LittleEndian.LONG;

import com.dynatrace.hash4j.hashing.HashValue128;
import com.dynatrace.hash4j.hashing.Hashing;
import java.util.HexFormat;
import java.util.stream.IntStream;

/**
 * XXH3 with 128 bits, without a seed, over bytes that come in pieces. The sums over the stripes of a block are plain loops, of which the compiler makes
 * vector instructions: half the time of hash4j's stream, and a third where the compiler does not inline that stream's calls.
 *
 * @see <a href="https://github.com/Cyan4973/xxHash/blob/v0.8.2/doc/xxhash_spec.md#xxh3-algorithm-overview">The specification, its "long input"</a>
 */
final class Xxh3 {
    private static final int STRIPE_BYTES = 64;
    private static final int BLOCK_BYTES = 1024;
    private static final int LANES = STRIPE_BYTES / Long.BYTES;
    /** Longer input takes the algorithm that is here. */
    private static final int SHORT_BYTES = 240;

    private static final long PRIME_32_1 = 0x9E3779B1L;
    private static final long PRIME_64_1 = 0x9E3779B185EBCA87L;
    private static final long PRIME_64_2 = 0xC2B2AE3D27D4EB4FL;
    private static final long LOW_HALF = 0xFFFFFFFFL;

    private static final byte[] SECRET = HexFormat.of()
            .parseHex(
                    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221"
                            + "b8084674f743248ee03590e6813a264c3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
                            + "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364eac5ac8334d3ebc3c581a0fffa1363eb"
                            + "170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e");
    /** The secret that each word of a block meets: eight bytes further on with every stripe. */
    private static final long[] KEYS = IntStream.range(0, BLOCK_BYTES / Long.BYTES)
            .mapToLong(i -> secret((i / LANES + i % LANES) * Long.BYTES))
            .toArray();

    private static final int LAST_STRIPE_SECRET = 121;
    private static final int SCRAMBLING_SECRET = 128;
    private static final int LOW_SECRET = 11;
    private static final int HIGH_SECRET = 117;

    private final long[] state = {
        0xC2B2AE3DL,
        PRIME_64_1,
        PRIME_64_2,
        0x165667B19E3779F9L,
        0x85EBCA77C2B2AE63L,
        0x85EBCA77L,
        0x27D4EB2F165667C5L,
        PRIME_32_1
    };
    /** The stripe before the bytes that are held back, and these: the last block is treated otherwise and only the end shows which it is. */
    private final byte[] tail = new byte[STRIPE_BYTES + BLOCK_BYTES];

    private final long[] words = new long[BLOCK_BYTES / Long.BYTES / 2];
    private final long[] products = new long[words.length];
    private int held;
    private long total;

    void update(byte[] bytes, int length) {
        total += length;
        int from = Math.min(BLOCK_BYTES - held, length);
        System.arraycopy(bytes, 0, tail, STRIPE_BYTES + held, from);
        held += from;
        if (from == length) {
            return;
        }
        block(tail, STRIPE_BYTES);
        System.arraycopy(tail, BLOCK_BYTES, tail, 0, STRIPE_BYTES);
        int end = from + (length - 1 - from) / BLOCK_BYTES * BLOCK_BYTES;
        for (int i = from; i < end; i += BLOCK_BYTES) {
            block(bytes, i);
        }
        if (end > from) {
            System.arraycopy(bytes, end - STRIPE_BYTES, tail, 0, STRIPE_BYTES);
        }
        held = length - end;
        System.arraycopy(bytes, end, tail, STRIPE_BYTES, held);
    }

    /** Adds sixteen stripes to the state, the second eight to the first eight beforehand, and scrambles it. */
    private void block(byte[] bytes, int from) {
        int half = BLOCK_BYTES / 2;
        for (int i = 0; i < half / Long.BYTES; i++) {
            long one = (long) LONG.get(bytes, from + i * Long.BYTES);
            long other = (long) LONG.get(bytes, from + half + i * Long.BYTES);
            words[i] = one + other;
            products[i] = product(one ^ KEYS[i]) + product(other ^ KEYS[half / Long.BYTES + i]);
        }
        for (int lane = 0; lane < LANES; lane++) {
            long sum = state[lane];
            for (int i = 0; i < half / Long.BYTES; i += LANES) {
                sum += products[i + lane] + words[i + (lane ^ 1)];
            }
            state[lane] = (sum ^ sum >>> 47 ^ secret(SCRAMBLING_SECRET + lane * Long.BYTES)) * PRIME_32_1;
        }
    }

    private void stripe(byte[] bytes, int from, int secret) {
        for (int lane = 0; lane < LANES; lane++) {
            long word = (long) LONG.get(bytes, from + lane * Long.BYTES);
            state[lane ^ 1] += word;
            state[lane] += product(word ^ secret(secret + lane * Long.BYTES));
        }
    }

    private static long product(long word) {
        return (word & LOW_HALF) * (word >>> Integer.SIZE);
    }

    private static long secret(int at) {
        return (long) LONG.get(SECRET, at);
    }

    /** No more may come. */
    HashValue128 finish() {
        if (total <= SHORT_BYTES) {
            return Hashing.xxh3_128().hashBytesTo128Bits(tail, STRIPE_BYTES, held);
        }
        for (int i = 0; i < (held - 1) / STRIPE_BYTES; i++) {
            stripe(tail, (i + 1) * STRIPE_BYTES, i * Long.BYTES);
        }
        stripe(tail, held, LAST_STRIPE_SECRET);
        return new HashValue128(merge(HIGH_SECRET, ~(total * PRIME_64_2)), merge(LOW_SECRET, total * PRIME_64_1));
    }

    private long merge(int secret, long start) {
        long sum = start;
        for (int i = 0; i < LANES; i += 2) {
            long one = state[i] ^ secret(secret + i * Long.BYTES);
            long other = state[i + 1] ^ secret(secret + (i + 1) * Long.BYTES);
            sum += one * other ^ Math.unsignedMultiplyHigh(one, other);
        }
        long mixed = (sum ^ sum >>> 37) * 0x165667919E3779F9L;
        return mixed ^ mixed >>> 32;
    }
}
