package dev.sluice.checkpoint.delta;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/** Keeps in memory what is written. */
final class CollectingChannel implements WritableByteChannel {
    private final ByteArrayOutputStream collected = new ByteArrayOutputStream();

    byte[] bytes() {
        return collected.toByteArray();
    }

    @Override
    public int write(ByteBuffer data) {
        byte[] bytes = new byte[data.remaining()];
        data.get(bytes);
        collected.writeBytes(bytes);
        return bytes.length;
    }

    @Override
    public boolean isOpen() {
        return true;
    }

    @Override
    public void close() {}
}
