package dev.sluice.checkpoint;

import com.dynatrace.hash4j.hashing.HashStream64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * XXH3-64 of consecutive bytes of a file: of each tensor among them for itself, and of all other bytes together.
 *
 * @see <a href="https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md">xxHash specification, XXH3</a>
 */
final class SplitHash {
    /** Small enough to stay in a core's cache between the copy and the hash, which is twice as fast on an array unless all of it is inlined. */
    private static final int WINDOW_BYTES = 64 << 10;

    private final List<StoredTensor> tensors;
    private final List<Long> hashes = new ArrayList<>();
    private final HashStream64 rest = Hashing.xxh3_64().hashStream();
    private final HashStream64 tensor = Hashing.xxh3_64().hashStream();
    private final byte[] window = new byte[WINDOW_BYTES];
    private long position;

    /**
     * @param begin position of the first byte in the file
     * @param tensors those among the bytes, by position, none overlapping another
     */
    SplitHash(long begin, List<StoredTensor> tensors) {
        this.position = begin;
        this.tensors = tensors;
    }

    /** Takes the remaining bytes of a buffer, which are the next ones; the buffer stays as it is. */
    void put(ByteBuffer bytes) {
        ByteBuffer source = bytes.duplicate();
        while (source.hasRemaining()) {
            finishTensors();
            StoredTensor next = hashes.size() < tensors.size() ? tensors.get(hashes.size()) : null;
            boolean inside = next != null && next.begin() <= position;
            long until = next == null ? Long.MAX_VALUE : inside ? next.end() : next.begin();
            int length = (int) Math.min(until - position, Math.min(source.remaining(), WINDOW_BYTES));
            source.get(window, 0, length);
            (inside ? tensor : rest).putBytes(window, 0, length);
            position += length;
        }
        finishTensors();
    }

    /** Hashes of the tensors so far completed, in their order. */
    List<Long> tensors() {
        finishTensors();
        return List.copyOf(hashes);
    }

    /** Hash of the bytes outside tensors. */
    long rest() {
        return rest.getAsLong();
    }

    private void finishTensors() {
        while (hashes.size() < tensors.size() && tensors.get(hashes.size()).end() <= position) {
            hashes.add(tensor.getAsLong());
            tensor.reset();
        }
    }
}
