package dev.sluice.converter;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.LongConsumer;

/** SHA-256 of whole files, several at once: one processor hashes slower than one disk reads. */
final class FileHashes {
    private static final int WINDOW_BYTES = 1 << 20;

    private FileHashes() {}

    /**
     * Reads the files.
     *
     * @param read is told, on any thread, how many more bytes were read
     * @return the hash of each in lower-case hexadecimal
     */
    static Map<Path, String> of(Collection<Path> files, int threads, LongConsumer read) {
        ExecutorService readers = Executors.newFixedThreadPool(
                Math.clamp(threads, 1, Math.max(1, files.size())),
                Thread.ofPlatform().name("hash-", 0).daemon().factory());
        try {
            Map<Path, Future<String>> hashes = new HashMap<>();
            files.forEach(file -> hashes.put(file, readers.submit(() -> of(file, read))));
            Map<Path, String> done = new HashMap<>();
            for (Map.Entry<Path, Future<String>> hash : hashes.entrySet()) {
                done.put(hash.getKey(), await(hash.getKey(), hash.getValue()));
            }
            return done;
        } finally {
            readers.shutdownNow();
        }
    }

    private static String await(Path file, Future<String> hash) {
        try {
            return hash.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException("interrupted while reading " + file, e);
        } catch (ExecutionException e) {
            throw new CheckpointException("cannot read " + file + ": " + e.getCause(), e);
        }
    }

    private static String of(Path file, LongConsumer read) throws IOException {
        MessageDigest digest = sha256();
        byte[] window = new byte[WINDOW_BYTES];
        ByteBuffer buffer = ByteBuffer.wrap(window);
        try (FileChannel in = FileChannel.open(file, StandardOpenOption.READ)) {
            // A file that grows faster than it is read would never end; whoever compares its state notices the growth.
            long left = in.size();
            int count;
            while (left > 0 && (count = in.read(buffer)) >= 0) {
                digest.update(window, 0, count);
                read.accept(count);
                left -= count;
                buffer.clear();
            }
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
