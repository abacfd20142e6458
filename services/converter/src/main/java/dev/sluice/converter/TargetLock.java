package dev.sluice.converter;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One writer a target among all threads and processes that see its disk: a POSIX record lock on {@code NAME.lock} beside
 * the target, which also holds across hosts on NFS mounted with locking. The kernel releases it when its holder dies. The
 * file itself stays: deleting it would let two hold "the" lock on two files of that name.
 */
final class TargetLock implements AutoCloseable {
    /**
     * Closing any channel to a file drops every POSIX lock that this process has on it, so a thread may not even open a
     * lock file that another one holds.
     */
    private static final Map<Path, LockHolder> HELD_HERE = new ConcurrentHashMap<>();

    private final Path file;
    private final FileChannel channel;

    private TargetLock(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /**
     * How long to wait for another holder, how often to look, and who is told what it waits for each time.
     *
     * @param key the configuration key of the deadline, for the message when it has passed
     */
    record Patience(Duration deadline, Duration interval, String key, Consumer<String> told) {}

    private sealed interface Attempt {
        record Taken(TargetLock lock) implements Attempt {}

        record Refused(LockHolder holder) implements Attempt {}
    }

    /**
     * Waits for the target.
     *
     * @throws CheckpointException when the deadline has passed, with who holds it and since when
     */
    static TargetLock acquire(Path target, String instance, Patience patience) throws IOException {
        long began = System.nanoTime();
        while (true) {
            switch (attempt(target, instance)) {
                case Attempt.Taken taken -> {
                    return taken.lock;
                }
                case Attempt.Refused refused -> {
                    String holder = refused.holder.describe(Instant.now());
                    if (System.nanoTime() - began >= patience.deadline.toNanos()) {
                        throw overdue(target, holder, patience);
                    }
                    patience.told.accept(holder);
                    pause(target, patience.interval);
                }
            }
        }
    }

    /** Takes the target if nobody holds it. */
    static Optional<TargetLock> tryAcquire(Path target, String instance) throws IOException {
        return attempt(target, instance) instanceof Attempt.Taken taken ? Optional.of(taken.lock) : Optional.empty();
    }

    private static Attempt attempt(Path target, String instance) throws IOException {
        Path file = lockFile(target);
        LockHolder self = LockHolder.now(instance);
        LockHolder here = HELD_HERE.putIfAbsent(file, self);
        if (here != null) {
            return new Attempt.Refused(here);
        }
        boolean taken = false;
        try {
            Attempt attempt = attemptAmongProcesses(file, self);
            taken = attempt instanceof Attempt.Taken;
            return attempt;
        } finally {
            if (!taken) {
                HELD_HERE.remove(file);
            }
        }
    }

    private static Attempt attemptAmongProcesses(Path file, LockHolder self) throws IOException {
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        boolean taken = false;
        try {
            if (tryLock(file, channel) == null) {
                return new Attempt.Refused(readHolder(channel));
            }
            ByteBuffer name = ByteBuffer.wrap(self.json());
            channel.truncate(0);
            while (name.hasRemaining()) {
                channel.write(name, name.position());
            }
            taken = true;
            return new Attempt.Taken(new TargetLock(file, channel));
        } finally {
            if (!taken) {
                channel.close();
            }
        }
    }

    private static @Nullable FileLock tryLock(Path file, FileChannel channel) throws IOException {
        try {
            return channel.tryLock();
        } catch (IOException e) {
            throw new IOException(
                    "cannot lock %s: %s; the file system must have POSIX locks (mount NFS without nolock, with NFSv4 or a running lockd)"
                            .formatted(file, e.getMessage()),
                    e);
        }
    }

    private static LockHolder readHolder(FileChannel channel) throws IOException {
        ByteBuffer content = ByteBuffer.allocate((int) Math.min(LockHolder.MAX_BYTES, channel.size()));
        channel.read(content, 0);
        byte[] json = new byte[content.flip().remaining()];
        content.get(json);
        return LockHolder.read(json);
    }

    /** The same file has one path here, whatever links lead to it. */
    private static Path lockFile(Path target) throws IOException {
        Path absolute = target.toAbsolutePath().normalize();
        Files.createDirectories(absolute.getParent());
        return absolute.getParent().toRealPath().resolve(absolute.getFileName() + ".lock");
    }

    private static CheckpointException overdue(Path target, String holder, Patience patience) {
        return new CheckpointException(
                "%s is held by %s, and was not free within %d s (%s); if that process no longer makes progress, end it, which frees the target, and submit the run again; else raise %s"
                        .formatted(target, holder, patience.deadline.toSeconds(), patience.key, patience.key));
    }

    private static void pause(Path target, Duration interval) {
        try {
            Thread.sleep(interval);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CheckpointException("interrupted while waiting for " + target, e);
        }
    }

    @Override
    public void close() throws IOException {
        try {
            channel.close();
        } finally {
            HELD_HERE.remove(file);
        }
    }
}
