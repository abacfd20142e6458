package dev.sluice.checkpoint.delta;

import dev.sluice.checkpoint.CheckpointException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Gathers the changes first: their count stands before the positions, all positions before the values. */
final class OverwriteEncoder extends TensorEncoder {
    /** The count and the positions have 32 bits. */
    private static final long MAX_TENSOR_BYTES = 0xFFFF_FFFFL;

    private final ChangedBytes changedBytes = new ChangedBytes();
    private final ByteBuffer window =
            ByteBuffer.allocateDirect(ByteWindow.BYTES + Long.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final int[] positions = new int[ByteWindow.BYTES / Integer.BYTES];
    private final Spool values;

    OverwriteEncoder(DeltaChecksum checksum, Spool frames, Spool values) {
        super(checksum, frames);
        this.values = values;
    }

    @Override
    void begin(long bytes) throws IOException {
        if (bytes > MAX_TENSOR_BYTES) {
            throw new CheckpointException(
                    "a tensor of %d bytes has more than the %d that overwrite counts; publish with xor"
                            .formatted(bytes, MAX_TENSOR_BYTES));
        }
        changedBytes.reset(bytes);
        values.truncate(0);
    }

    @Override
    void compared(long position, int length, long changed) throws IOException {
        if (changed == 0) {
            return;
        }
        int firstGroup = (int) (position / ChangedBytes.GROUP);
        int words = ByteWindow.wordsOf(length);
        int taken = 0;
        for (int word = 0; word < words; word += Long.BYTES) {
            taken = gather(firstGroup + word / Long.BYTES, word, Math.min(words, word + Long.BYTES), taken);
        }
        values.append(window.clear().limit(taken));
        window.clear();
    }

    /** Takes the changed bytes of a group's words; returns how many are taken then. */
    private int gather(int group, int firstWord, int endWord, int taken) {
        long changed = 0;
        int end = taken;
        for (int word = firstWord; word < endWord; word++) {
            long difference = fresh.words[word];
            int mask = ByteDifference.mask(difference);
            changed |= (long) mask << (word * Long.BYTES);
            // The changed bytes move together; those after them are overwritten by the next word's.
            window.putLong(end, Long.compress(difference ^ old.words[word], ByteDifference.bytesOf(mask)));
            end += Integer.bitCount(mask);
        }
        changedBytes.set(group, changed);
        return end;
    }

    @Override
    void finish(long changed) throws IOException {
        frame.begin(Integer.BYTES + changed * (Integer.BYTES + 1));
        frame.write(payload.clear().putInt((int) changed).flip());
        writePositions();
        writeValues(changed);
    }

    private void writePositions() throws IOException {
        int taken = 0;
        for (int group = 0; group < changedBytes.groups(); group++) {
            if (taken > positions.length - ChangedBytes.GROUP) {
                writePositions(taken);
                taken = 0;
            }
            taken = changedBytes.positions(group, positions, taken);
        }
        writePositions(taken);
    }

    private void writePositions(int count) throws IOException {
        payload.clear().asIntBuffer().put(positions, 0, count);
        frame.write(payload.limit(count * Integer.BYTES));
    }

    private void writeValues(long changed) throws IOException {
        long position = 0;
        while (position < changed) {
            payload.clear().limit((int) Math.min(payload.capacity(), changed - position));
            values.read(position, payload);
            position += payload.position();
            frame.write(payload.flip());
        }
    }

    @Override
    public void close() throws IOException {
        super.close();
        values.close();
    }
}
