package dev.sluice.cli.stack;

import dev.sluice.cli.CommandFailure;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;

/**
 * A port that nobody listens on, kept from other stacks of this machine: until its service listens, a second stack that starts
 * in the same moment would find it free too.
 *
 * @param lock of the port among stacks; the system gives it back when this process ends, however it does
 */
record FreePort(int port, FileChannel lock) implements AutoCloseable {
    private static final int TRIES = 100;

    /** The first one from a wished one. */
    static FreePort from(int wished) {
        return from(wished, Path.of(System.getProperty("java.io.tmpdir")));
    }

    /** @param locks directory of the locks */
    static FreePort from(int wished, Path locks) {
        for (int port = wished; port < wished + TRIES; port++) {
            Optional<FreePort> claimed = claim(port, locks);
            if (claimed.isPresent()) {
                return claimed.get();
            }
        }
        throw CommandFailure.failed("ports %d to %d on 127.0.0.1 are all taken; stop what listens there"
                .formatted(wished, wished + TRIES - 1));
    }

    private static Optional<FreePort> claim(int port, Path locks) {
        FileChannel lock = null;
        try {
            lock = FileChannel.open(
                    locks.resolve("sluice-port-" + port + ".lock"),
                    StandardOpenOption.CREATE,
                    StandardOpenOption.WRITE);
            if (lock.tryLock() != null) {
                new ServerSocket(port, 1, InetAddress.getLoopbackAddress()).close();
                return Optional.of(new FreePort(port, lock));
            }
        } catch (IOException | OverlappingFileLockException e) {
            // Taken, by a stack or by another program: the next one.
        }
        close(lock);
        return Optional.empty();
    }

    @Override
    public void close() {
        close(lock);
    }

    private static void close(FileChannel lock) {
        try {
            if (lock != null) {
                lock.close();
            }
        } catch (IOException e) {
            // The system gives it back with the process.
        }
    }
}
