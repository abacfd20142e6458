package dev.sluice.checkpoint.delta;

import static dev.sluice.checkpoint.delta.LittleEndian.LONG;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Gathers the changes first: their count stands before the positions, all positions before the values. */
final class OverwriteEncoder extends TensorEncoder {
    /** The count and the positions have 32 bits. */
    private static final long MAX_TENSOR_BYTES = 0xFFFF_FFFFL;

    private static final int LATEST_BYTES = 4 << 20;

    private final ChangedBytes changedBytes = new ChangedBytes();
    /** The latest values, rarely not all of them; eight bytes more than are used, since a whole word is written where one value is left. */
    private final byte[] values = new byte[LATEST_BYTES + Long.BYTES];

    private final ByteWindow payload = new ByteWindow();
    /** The values before the latest. */
    private final Spool spool;

    private int taken;

    OverwriteEncoder(DeltaChecksum checksum, Spool frames, Spool spool) {
        super(checksum, frames);
        this.spool = spool;
    }

    @Override
    void begin(long bytes) throws IOException {
        if (bytes > MAX_TENSOR_BYTES) {
            throw new CheckpointException(
                    "a tensor of %d bytes has more than the %d that overwrite counts; publish with xor"
                            .formatted(bytes, MAX_TENSOR_BYTES));
        }
        changedBytes.reset(bytes);
        spool.rewind();
        taken = 0;
    }

    @Override
    int compare(long position, int length) throws IOException {
        int changed = ByteDifference.mark(old.bytes, fresh.bytes, length);
        if (changed > 0) {
            if (taken + changed > LATEST_BYTES) {
                spool.append(ByteBuffer.wrap(values, 0, taken));
                taken = 0;
            }
            int firstGroup = (int) (position / ChangedBytes.GROUP);
            int groups = ChangedBytes.groupsOf(length);
            for (int group = 0; group < groups; group++) {
                changedBytes.set(firstGroup + group, gather(group * ChangedBytes.GROUP));
            }
        }
        return changed;
    }

    /** Takes the new values of a group's changed bytes; returns a bit for each byte. */
    private long gather(int start) {
        long changed = 0;
        int end = taken;
        for (int i = 0; i < ChangedBytes.GROUP; i += Long.BYTES) {
            long marks = (long) LONG.get(old.bytes, start + i);
            changed |= ByteDifference.mask(marks) << i;
            // The changed bytes move together; those after them are overwritten by the next word's.
            LONG.set(values, end, Long.compress((long) LONG.get(fresh.bytes, start + i), marks));
            end += Long.bitCount(marks) / Byte.SIZE;
        }
        taken = end;
        return changed;
    }

    @Override
    void finish(long changed) throws IOException {
        frame.begin(Integer.BYTES + changed * (Integer.BYTES + 1));
        frame.write(ByteBuffer.allocate(Integer.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt((int) changed)
                .flip());
        writePositions();
        writeValues();
    }

    private void writePositions() throws IOException {
        int most = ByteWindow.BYTES / Integer.BYTES - ChangedBytes.GROUP;
        int count = 0;
        for (int group = 0; group < changedBytes.groups(); group++) {
            if (count > most) {
                frame.write(payload.first(count * Integer.BYTES));
                count = 0;
            }
            count = changedBytes.positions(group, payload.bytes, count);
        }
        frame.write(payload.first(count * Integer.BYTES));
    }

    private void writeValues() throws IOException {
        long position = 0;
        while (position < spool.bytes()) {
            ByteBuffer window = payload.first((int) Math.min(ByteWindow.BYTES, spool.bytes() - position));
            spool.read(position, window);
            position += window.position();
            frame.write(window.flip());
        }
        frame.write(ByteBuffer.wrap(values, 0, taken));
    }

    @Override
    public void close() throws IOException {
        super.close();
        spool.close();
    }
}
