package dev.sluice.checkpoint.delta;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Gathers the changes first: their count stands before the positions, all positions before the values. */
final class OverwriteEncoder extends TensorEncoder {
    private final ChangedBytes changedBytes = new ChangedBytes();
    private final byte[] window = new byte[ByteWindow.BYTES];
    private final Spool values;
    private long tensorBytes;

    OverwriteEncoder(DeltaChecksum checksum, Spool frames, Spool values) {
        super(checksum, frames);
        this.values = values;
    }

    @Override
    void begin(long bytes) {
        tensorBytes = bytes;
        changedBytes.reset(bytes);
    }

    @Override
    void compared(long position, int length, long changed) throws IOException {
        if (changed == 0) {
            return;
        }
        int taken = 0;
        for (int word = 0; word < ByteWindow.wordsOf(length); word++) {
            int mask = ByteDifference.mask(fresh.words[word]);
            int first = word * Long.BYTES;
            if (mask != 0) {
                changedBytes.add(position + first, mask);
            }
            for (; mask != 0; mask &= mask - 1) {
                window[taken++] = fresh.bytes[first + Integer.numberOfTrailingZeros(mask)];
            }
        }
        values.append(ByteBuffer.wrap(window, 0, taken));
    }

    @Override
    void finish(long changed) throws IOException {
        frame.begin(Integer.BYTES + changed * (Integer.BYTES + 1));
        payload.clear().putInt((int) changed);
        for (long start = 0; start < tensorBytes; start += Long.SIZE) {
            for (long bits = changedBytes.from(start); bits != 0; bits &= bits - 1) {
                if (!payload.hasRemaining()) {
                    flush();
                }
                payload.putInt((int) start + Long.numberOfTrailingZeros(bits));
            }
        }
        flush();
        long position = 0;
        while (position < changed) {
            payload.clear().limit((int) Math.min(payload.capacity(), changed - position));
            values.read(position, payload);
            position += payload.position();
            frame.write(payload.flip());
        }
        values.truncate(0);
    }

    private void flush() throws IOException {
        frame.write(payload.flip());
        payload.clear();
    }

    @Override
    public void close() throws IOException {
        super.close();
        values.close();
    }
}
