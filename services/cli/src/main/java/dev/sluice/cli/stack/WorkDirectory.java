package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Everything that one local stack keeps on the disk: {@code broker/} (the log), {@code data/} (runs and checkpoints),
 * {@code logs/<name>.log}, {@code run/<name>.json}. One stack at a time uses it.
 */
public final class WorkDirectory implements AutoCloseable {
    private static final long LEAST_FREE_MIB = 1024;

    private final Path path;
    private final FileChannel lock;

    private WorkDirectory(Path path, FileChannel lock) {
        this.path = path;
        this.lock = lock;
    }

    /**
     * Creates the directory where it is missing and takes it.
     *
     * @throws CommandFailure if another stack uses it, it cannot be written, or the disk is full
     */
    public static WorkDirectory take(Path directory) {
        Path path = directory.toAbsolutePath().normalize();
        try {
            Files.createDirectories(path);
            requireSpace(path);
            FileChannel channel = FileChannel.open(
                    path.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
            if (!tryLock(channel)) {
                String owner = owner(channel);
                channel.close();
                throw CommandFailure.failed("the work directory " + path + " is in use by the sluice process " + owner
                        + "; stop that one (Ctrl-C), or choose another with --work-dir");
            }
            channel.truncate(0);
            channel.write(
                    ByteBuffer.wrap(Long.toString(ProcessHandle.current().pid()).getBytes(StandardCharsets.US_ASCII)),
                    0);
            return new WorkDirectory(path, channel);
        } catch (IOException e) {
            throw CommandFailure.failed("the work directory " + path + " cannot be used: " + e
                    + "; choose another with --work-dir, or correct its rights");
        }
    }

    private static boolean tryLock(FileChannel channel) throws IOException {
        try {
            return channel.tryLock() != null;
        } catch (OverlappingFileLockException e) {
            return false; // held by this very process
        }
    }

    private static String owner(FileChannel channel) throws IOException {
        ByteBuffer pid = ByteBuffer.allocate(20);
        channel.read(pid, 0);
        return new String(pid.array(), 0, pid.position(), StandardCharsets.US_ASCII).replaceAll("\\D", "");
    }

    private static void requireSpace(Path path) throws IOException {
        long freeMib = Files.getFileStore(path).getUsableSpace() >> 20;
        if (freeMib < LEAST_FREE_MIB) {
            throw CommandFailure.failed("the disk of " + path + " has " + freeMib + " MiB free, and a run needs "
                    + LEAST_FREE_MIB + " MiB at least; free some, or choose another disk with --work-dir");
        }
    }

    public Path path() {
        return path;
    }

    public Path data() {
        return path.resolve("data");
    }

    public Path logs() {
        return path.resolve("logs");
    }

    Path broker() {
        return path.resolve("broker");
    }

    Path stateFiles() {
        return stateFiles(path);
    }

    Path stateFile(String name) {
        return stateFiles().resolve(name + ".json");
    }

    /** Where a stack in that directory writes where it listens. */
    static Path stateFiles(Path directory) {
        return directory.resolve("run");
    }

    Path logFile(String name) {
        return logs().resolve(name + ".log");
    }

    @Override
    public void close() throws IOException {
        lock.close();
    }
}
