package dev.sluice.process;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;

/**
 * A run of free TCP ports that no other process using the same lease directory is given until it is closed.
 *
 * <p>All lie below 32768, where Linux starts to hand out ports for outgoing connections: otherwise a client's connection
 * could take the port between our probe and the child's bind. A lease whose owner died is free again.
 */
public final class PortLease implements AutoCloseable {
    private static final int FIRST_PORT = 20_000;
    private static final int LAST_PORT = 32_767;
    /** Most neighbouring ports that one lease holds. */
    public static final int MAXIMUM_COUNT = 100;

    private final Path directory;
    private final int port;
    private final int count;

    private PortLease(Path directory, int port, int count) {
        this.directory = directory;
        this.port = port;
        this.count = count;
    }

    /** Leases one port in the directory that all of this user's processes on this host share. */
    public static PortLease take() throws IOException {
        return take(sharedDirectory(), 1);
    }

    /** Leases neighbouring ports in the directory that all of this user's processes on this host share. */
    public static PortLease take(int count) throws IOException {
        return take(sharedDirectory(), count);
    }

    /** Where leases lie by default: one folder a user in the system's folder for temporary files. */
    public static Path sharedDirectory() {
        return Path.of(System.getProperty("java.io.tmpdir"), "sluice-ports-" + System.getProperty("user.name"));
    }

    /**
     * Leases neighbouring ports.
     *
     * @param directory holds a file a leased port; created if missing
     * @param count from 1 to 100
     * @throws IOException if no such run is free, or the directory cannot be written
     */
    public static PortLease take(Path directory, int count) throws IOException {
        if (count < 1 || count > MAXIMUM_COUNT) {
            throw new IllegalArgumentException("A lease holds 1 to " + MAXIMUM_COUNT + " ports, not " + count);
        }
        int starts = LAST_PORT - FIRST_PORT - count + 2;
        int offset = ThreadLocalRandom.current().nextInt(starts);
        Optional<PortLease> lease = takeFirstFree(
                directory, IntStream.range(0, starts).map(i -> FIRST_PORT + (offset + i) % starts), count);
        return lease.orElseThrow(() -> new IOException("No " + count + " neighbouring ports between " + FIRST_PORT
                + " and " + LAST_PORT + " are free on 127.0.0.1; stop what listens there, or delete leases of processes"
                + " that are gone in " + directory + "."));
    }

    /** Leases exactly this port, which a service kept from an earlier life; empty if somebody else has it. */
    public static Optional<PortLease> takeAt(Path directory, int port) throws IOException {
        return takeFirstFree(directory, IntStream.of(port), 1);
    }

    private static Optional<PortLease> takeFirstFree(Path directory, IntStream firstPorts, int count)
            throws IOException {
        requireOwn(Files.createDirectories(directory));
        // Java refuses a second lock of one file within a JVM, so its threads queue here first.
        synchronized (PortLease.class) {
            try (FileChannel channel = FileChannel.open(
                            directory.resolve("directory.lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                    FileLock lock = channel.lock()) {
                sweepStale(directory);
                OptionalInt free = firstPorts
                        .filter(first -> isRunFree(directory, first, count))
                        .findFirst();
                if (free.isEmpty()) {
                    return Optional.empty();
                }
                int first = free.getAsInt();
                PidFile owner = PidFile.ofThisProcess(first);
                for (int p = first; p < first + count; p++) {
                    owner.write(file(directory, p));
                }
                return Optional.of(new PortLease(directory, first, count));
            }
        }
    }

    /** The first port of the run. */
    public int port() {
        return port;
    }

    /** How many neighbouring ports are leased. */
    public int count() {
        return count;
    }

    @Override
    public void close() throws IOException {
        for (int p = port; p < port + count; p++) {
            Files.deleteIfExists(file(directory, p));
        }
    }

    private static void requireOwn(Path directory) throws IOException {
        String owner = Files.getOwner(directory).getName();
        // In a folder of another user our writes could follow links that the other has laid.
        if (!owner.equals(System.getProperty("user.name"))) {
            throw new IOException("The directory of port leases " + directory + " belongs to " + owner
                    + "; remove it or set java.io.tmpdir to a folder of your own.");
        }
    }

    private static void sweepStale(Path directory) throws IOException {
        try (DirectoryStream<Path> leases = Files.newDirectoryStream(directory, "*.json")) {
            for (Path lease : leases) {
                if (!isLeased(lease)) {
                    Files.deleteIfExists(lease);
                }
            }
        }
    }

    private static boolean isRunFree(Path directory, int first, int count) {
        return IntStream.range(first, first + count).allMatch(port -> isFree(directory, port));
    }

    static boolean isFree(Path directory, int port) {
        return !isLeased(file(directory, port)) && canBind(port);
    }

    private static boolean isLeased(Path file) {
        try {
            return PidFile.read(file).flatMap(PidFile::process).isPresent();
        } catch (IOException e) {
            // A broken lease would block its port for ever.
            return false;
        }
    }

    private static boolean canBind(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            // Without this, connections of an earlier server that linger in TIME_WAIT would hide a free port.
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress("127.0.0.1", port));
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static Path file(Path directory, int port) {
        return directory.resolve(port + ".json");
    }
}
