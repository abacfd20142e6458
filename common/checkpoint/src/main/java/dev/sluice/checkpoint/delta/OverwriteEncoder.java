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

    private static final int PAYLOAD_BYTES = 64 << 10;

    private final ChangedBytes changedBytes = new ChangedBytes();
    /** The latest values, rarely not all of them; eight bytes more than are used, since a whole word is written where one value is left. */
    private final byte[] values = new byte[LATEST_BYTES + Long.BYTES];

    private final byte[] payload = new byte[PAYLOAD_BYTES];
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
        changedBytes.resize(bytes);
        spool.rewind();
        taken = 0;
    }

    @Override
    int compare(long position, int length) throws IOException {
        int changed = ByteDifference.mark(old.bytes, fresh.bytes, length);
        int firstGroup = (int) (position / ChangedBytes.GROUP);
        int groups = ChangedBytes.groupsOf(length);
        if (changed == 0) {
            changedBytes.clear(firstGroup, groups);
        } else {
            if (taken + changed > LATEST_BYTES) {
                spool.append(ByteBuffer.wrap(values, 0, taken));
                taken = 0;
            }
            changedBytes.set(firstGroup, old.bytes, groups);
            gather(firstGroup, groups);
        }
        return changed;
    }

    /** Takes the new values of the changed bytes. */
    private void gather(int firstGroup, int groups) {
        byte[] from = fresh.bytes;
        byte[] marks = old.bytes;
        byte[] to = values;
        int end = taken;
        for (int group = 0; group < groups; group++) {
            long changedInGroup = changedBytes.of(firstGroup + group);
            if (changedInGroup == 0) {
                continue;
            }
            long counts = ByteDifference.runningCounts(changedInGroup);
            long before = counts << Byte.SIZE;
            for (int i = 0; i < ChangedBytes.GROUP; i += Long.BYTES) {
                int at = group * ChangedBytes.GROUP + i;
                // The changed bytes move together; those after them are overwritten by the next word's.
                long changed = Long.compress((long) LONG.get(from, at), (long) LONG.get(marks, at));
                LONG.set(to, end + ((int) (before >>> i) & 0xff), changed);
            }
            end += (int) (counts >>> (Long.SIZE - Byte.SIZE));
        }
        taken = end;
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
        int most = PAYLOAD_BYTES / Integer.BYTES - ChangedBytes.GROUP;
        int count = 0;
        for (int group = 0; group < changedBytes.groups(); group++) {
            if (count > most) {
                frame.write(ByteBuffer.wrap(payload, 0, count * Integer.BYTES));
                count = 0;
            }
            count = changedBytes.positions(group, payload, count);
        }
        frame.write(ByteBuffer.wrap(payload, 0, count * Integer.BYTES));
    }

    private void writeValues() throws IOException {
        long position = 0;
        while (position < spool.bytes()) {
            ByteBuffer window = ByteBuffer.wrap(payload, 0, (int) Math.min(PAYLOAD_BYTES, spool.bytes() - position));
            spool.read(position, window);
            position += window.limit();
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
