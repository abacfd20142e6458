package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files that are either absent or complete, also after a power failure: temporary name, fsync, rename, fsync of the directory. */
public final class DurableFiles {
    /**
     * Mapped buffers go to the channel in slices: the JDK would otherwise copy the whole buffer to native memory first, and a slice that is checksummed and
     * then copied is still in the core's cache.
     */
    private static final int WRITE_BYTES = StretchChannel.WINDOW_BYTES;

    private DurableFiles() {}

    /** What fills a file. */
    public interface Body {
        void writeTo(FileChannel out) throws IOException;
    }

    public static void write(Path file, Body body) {
        Path parent = file.toAbsolutePath().getParent();
        Path temporary = parent.resolve("." + file.getFileName() + ".tmp");
        try {
            Files.createDirectories(parent);
            try (FileChannel out = FileChannel.open(
                    temporary,
                    StandardOpenOption.CREATE,
                    StandardOpenOption.TRUNCATE_EXISTING,
                    StandardOpenOption.WRITE)) {
                body.writeTo(out);
                out.force(true);
            }
            Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE);
            syncDirectory(parent);
        } catch (IOException e) {
            throw new CheckpointException("cannot write " + file + ": " + e, e);
        }
    }

    public static void write(Path file, byte[] content) {
        write(file, out -> writeFully(out, ByteBuffer.wrap(content)));
    }

    public static void syncDirectory(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    public static void writeFully(WritableByteChannel out, ByteBuffer data) throws IOException {
        int end = data.limit();
        while (data.position() < end) {
            data.limit(Math.min(end, data.position() + Math.min(WRITE_BYTES, end - data.position())));
            out.write(data);
        }
    }
}
