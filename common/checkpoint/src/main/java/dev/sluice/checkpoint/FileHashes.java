package dev.sluice.checkpoint;

import com.dynatrace.hash4j.hashing.HashStream64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** Hashes of files on disk. */
final class FileHashes {
    private static final int GAP_WINDOW_BYTES = 64 << 10;

    private FileHashes() {}

    /** Feeds the bytes from {@code begin} to {@code end} to a hash. */
    static void read(FileChannel file, long begin, long end, ByteBuffer window, SplitHash hash) throws IOException {
        for (long position = begin; position < end; ) {
            window.clear().limit((int) Math.min(window.capacity(), end - position));
            int length = file.read(window, position);
            if (length < 0) {
                throw new EOFException("the file ends at byte %d, not %d".formatted(position, end));
            }
            hash.put(window.flip());
            position += length;
        }
    }

    /**
     * Hash of the bytes outside tensors.
     *
     * @param tensors by position, none overlapping another
     */
    static long rest(Path path, List<StoredTensor> tensors) throws IOException {
        HashStream64 hash = Hashing.xxh3_64().hashStream();
        ByteBuffer window = ByteBuffer.allocate(GAP_WINDOW_BYTES);
        try (FileChannel file = FileChannel.open(path, StandardOpenOption.READ)) {
            long position = 0;
            for (StoredTensor tensor : tensors) {
                put(file, position, tensor.begin(), window, hash);
                position = tensor.end();
            }
            put(file, position, file.size(), window, hash);
        }
        return hash.getAsLong();
    }

    private static void put(FileChannel file, long begin, long end, ByteBuffer window, HashStream64 hash)
            throws IOException {
        for (long position = begin; position < end; ) {
            window.clear().limit((int) Math.min(window.capacity(), end - position));
            int length = file.read(window, position);
            if (length < 0) {
                throw new EOFException("the file ends at byte %d, not %d".formatted(position, end));
            }
            hash.putBytes(window.array(), 0, length);
            position += length;
        }
    }
}
