package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.TensorPlace;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** A tensor in a file that is open for reading and writing; several threads may work on different tensors of one file. */
record FileRegion(FileChannel file, TensorPlace place) implements TensorRegion {
    @Override
    public long bytes() {
        return place.bytes();
    }

    @Override
    public void read(long position, ByteBuffer window) throws IOException {
        long from = place.position() + position;
        while (window.hasRemaining()) {
            int read = file.read(window, from);
            if (read < 0) {
                throw new EOFException("%s ends at byte %d, within a tensor".formatted(place.file(), from));
            }
            from += read;
        }
    }

    @Override
    public void write(long position, ByteBuffer window) throws IOException {
        long to = place.position() + position;
        while (window.hasRemaining()) {
            to += file.write(window, to);
        }
    }
}
