package dev.sluice.checkpoint;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What every reader of bytes from elsewhere promises, whatever the bytes are. */
public final class ForeignBytes {
    private static final Duration MAX_TIME = Duration.ofSeconds(2);
    private static final long FREE_BYTES = 4 << 20;
    /** The costliest genuine content, a pickle of empty objects, takes about a hundred. */
    private static final long BYTES_FOR_EACH = 256;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** Reads, and throws an {@link AssertionError} if what was read contradicts itself. */
    public interface Reader {
        void read() throws IOException;
    }

    private ForeignBytes() {}

    /**
     * Reads, within bounds of time and memory that depend on the number of bytes alone.
     *
     * @param named what a refusal must name
     * @throws AssertionError if the bytes are neither read nor refused as they should
     */
    public static void check(int bytes, String named, Reader reader) {
        check(FREE_BYTES + BYTES_FOR_EACH * bytes, named, reader);
    }

    /** As {@link #check(int, String, Reader)}, where the memory depends on what the bytes say. */
    public static void check(long maxBytes, String named, Reader reader) {
        Optional<String> excess = excess(maxBytes, named, reader);
        // The first reader of all also loads classes.
        if (excess.isPresent()) {
            excess = excess(maxBytes, named, reader);
        }
        excess.ifPresent(cost -> {
            throw new AssertionError(cost);
        });
    }

    private static Optional<String> excess(long maxBytes, String named, Reader reader) {
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long start = System.nanoTime();
        try {
            reader.read();
        } catch (CheckpointException e) {
            if (!String.valueOf(e.getMessage()).contains(named)) {
                throw new AssertionError("a refusal that does not name " + named, e);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("the disk of the test", e);
        }
        allocated = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        Duration taken = Duration.ofNanos(System.nanoTime() - start);
        boolean cheap = taken.compareTo(MAX_TIME) <= 0 && allocated <= maxBytes;
        return cheap ? Optional.empty() : Optional.of("took %s and %d bytes of memory".formatted(taken, allocated));
    }

    /** Puts the bytes into the only file of a folder. */
    public static Path file(Path folder, String name, byte[] bytes) {
        try {
            return Files.write(folder.resolve(name), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The inputs for one fuzz test that are worth keeping, where Jazzer looks for them too. */
    public static List<Path> corpus(Class<?> fuzz, String test) {
        Path root = Path.of(System.getProperty("sluice.root", "../.."), "common/checkpoint/src/test/resources");
        Path folder = root.resolve(fuzz.getName().replace('.', '/') + "Inputs").resolve(test);
        try (Stream<Path> files = Files.list(folder)) {
            return files.sorted().toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
