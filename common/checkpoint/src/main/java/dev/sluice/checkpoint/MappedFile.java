package dev.sluice.checkpoint;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * A file read through memory maps of 1 GiB each, made when they are first needed. A slice that no single map covers gets one of its own; there are few of
 * them, and the kernel grants a process only some 65,000 maps.
 */
final class MappedFile implements ByteRange, AutoCloseable {
    private static final long WINDOW_BYTES = 1L << 30;

    private final Path path;
    private final FileChannel channel;
    private final long bytes;
    private final Map<Long, ByteBuffer> windows = new HashMap<>();

    private MappedFile(Path path, FileChannel channel, long bytes) {
        this.path = path;
        this.channel = channel;
        this.bytes = bytes;
    }

    static MappedFile open(Path path) {
        try {
            FileChannel channel = FileChannel.open(path, StandardOpenOption.READ);
            return new MappedFile(path, channel, channel.size());
        } catch (IOException e) {
            throw new CheckpointException("cannot read " + path + ": " + e, e);
        }
    }

    Path path() {
        return path;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    @Override
    public ByteRange range(long begin, long length) {
        check(begin, length);
        return ByteRange.super.range(begin, length);
    }

    /** Read-only. */
    @Override
    public synchronized ByteBuffer slice(long begin, long length) {
        check(begin, length);
        if (length > Integer.MAX_VALUE) {
            throw new CheckpointException(
                    "%s: %d bytes from byte %d on exceed the 2 GiB of a buffer; ask for parts of them"
                            .formatted(path, length, begin));
        }
        try {
            long window = begin / WINDOW_BYTES;
            long windowBegin = window * WINDOW_BYTES;
            if (begin + length > windowBegin + WINDOW_BYTES) {
                return channel.map(MapMode.READ_ONLY, begin, length).order(ByteOrder.LITTLE_ENDIAN);
            }
            ByteBuffer map = windows.get(window);
            if (map == null) {
                map = channel.map(MapMode.READ_ONLY, windowBegin, Math.min(WINDOW_BYTES, bytes - windowBegin));
                windows.put(window, map);
            }
            return map.slice((int) (begin - windowBegin), (int) length).order(ByteOrder.LITTLE_ENDIAN);
        } catch (IOException e) {
            throw new CheckpointException("cannot map " + path + ": " + e, e);
        }
    }

    private void check(long begin, long length) {
        if (begin < 0 || length < 0 || begin > bytes - length) {
            throw new CheckpointException("%s has %d bytes, but bytes %d to %d are asked for; copy the file again"
                    .formatted(path, bytes, begin, begin + length));
        }
    }

    /** Closes the file; views handed out stay valid until they are garbage. */
    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new CheckpointException("cannot close " + path + ": " + e, e);
        }
    }
}
