package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Keeps a second writer from the same target: a locked file beside it, whose lock the kernel takes back when the process dies. The kernel also takes it
 * back when the process closes any other descriptor of the file, so this process opens it once only.
 */
final class TargetLock implements AutoCloseable {
    private static final int MAX_OWNER_BYTES = 64;
    private static final int MAX_FILE_BYTES = 1 << 30;

    /** Files that this process has locked. */
    private static final Set<Path> HELD = ConcurrentHashMap.newKeySet();

    private final Path file;
    private final FileChannel channel;

    private TargetLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * Takes the lock or refuses at once.
     *
     * @param target absolute
     * @throws CheckpointException naming the process that holds it
     */
    static TargetLock of(Path target) throws IOException {
        Path file = target.resolveSibling("." + target.getFileName() + ".lock");
        if (!HELD.add(file)) {
            throw refusal(target, owner());
        }
        try {
            return new TargetLock(file, locked(target, file));
        } catch (IOException | RuntimeException e) {
            HELD.remove(file);
            throw e;
        }
    }

    /** Removes the file while it is locked, then lets go. */
    @Override
    public void close() throws IOException {
        try (channel) {
            Files.deleteIfExists(file);
        } finally {
            HELD.remove(file);
        }
    }

    private static FileChannel locked(Path target, Path file) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (channel.tryLock() == null) {
                try (channel) {
                    throw refusal(target, read(channel));
                }
            }
            if (isStillThere(file, channel)) {
                return channel;
            }
            // The holder before us removed the file between our opening it and locking it: that lock keeps nobody out.
            channel.close();
        }
    }

    private static CheckpointException refusal(Path target, String owner) {
        return new CheckpointException("%s is being written by %s; wait for it, or stop it and run this again"
                .formatted(target, owner.isEmpty() ? "another process" : owner));
    }

    /** Whether the path still leads to the open file: a size drawn at random, of which next to nothing takes room, is seen through both. */
    private static boolean isStillThere(Path file, FileChannel channel) throws IOException {
        long size = ThreadLocalRandom.current().nextInt(MAX_OWNER_BYTES + 1, MAX_FILE_BYTES);
        channel.truncate(0).write(ByteBuffer.wrap(owner().getBytes(StandardCharsets.US_ASCII)), 0);
        channel.write(ByteBuffer.wrap(new byte[1]), size - 1);
        try {
            return Files.size(file) == size;
        } catch (NoSuchFileException e) {
            return false;
        }
    }

    private static String owner() {
        return "process " + ProcessHandle.current().pid();
    }

    private static String read(FileChannel channel) throws IOException {
        ByteBuffer owner = ByteBuffer.allocate(MAX_OWNER_BYTES);
        channel.read(owner, 0);
        String text = StandardCharsets.US_ASCII.decode(owner.flip()).toString();
        return text.substring(0, Math.max(text.indexOf('\0'), 0));
    }
}
