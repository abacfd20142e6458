package dev.sluice.checkpoint.delta;

import static dev.sluice.checkpoint.delta.LittleEndian.LONG;

import java.nio.ByteBuffer;
import java.util.OptionalLong;

/** Reads all positions first, because the values stand after them. */
final class OverwriteDecoder extends TensorDecoder {
    private final ChangedBytes changedBytes = new ChangedBytes();
    private final ByteWindow positions = new ByteWindow(WINDOW_BYTES);
    /** Eight more than are read, since a whole word is taken where one value is left. */
    private final byte[] values = new byte[WINDOW_BYTES + Long.BYTES];

    private int nextValue;
    private int endOfValues;
    private long valuesToRead;

    @Override
    void begin(StoredDelta delta, FrameReader frame, long tensorBytes) {
        FrameHeader header = FrameHeader.read(delta);
        header.check(delta, DeltaEncoding.OVERWRITE, tensorBytes);
        frame.read(positions.first(Integer.BYTES));
        long count = ChangedBytes.position(positions.bytes, 0);
        if (count > tensorBytes) {
            throw delta.refused("it counts %d changed bytes in a tensor of %d".formatted(count, tensorBytes));
        }
        long expected = Integer.BYTES + count * (Integer.BYTES + 1);
        OptionalLong content = header.contentBytes();
        if (content.isPresent() && content.getAsLong() != expected) {
            throw delta.refused("%d changed bytes need a payload of %d bytes, but its zstd frame has %d"
                    .formatted(count, expected, content.getAsLong()));
        }
        changedBytes.reset(tensorBytes);
        readPositions(delta, frame, count, tensorBytes);
        valuesToRead = count;
        nextValue = 0;
        endOfValues = 0;
    }

    private void readPositions(StoredDelta delta, FrameReader frame, long count, long tensorBytes) {
        long before = -1;
        long left = count;
        while (left > 0) {
            int read = (int) Math.min(WINDOW_BYTES / Integer.BYTES, left);
            frame.read(positions.first(read * Integer.BYTES));
            int sound = changedBytes.add(positions.bytes, read, before, tensorBytes);
            if (sound < read) {
                long last = sound == 0 ? before : ChangedBytes.position(positions.bytes, sound - 1);
                refuse(delta, last, ChangedBytes.position(positions.bytes, sound), tensorBytes);
            }
            before = ChangedBytes.position(positions.bytes, read - 1);
            left -= read;
        }
    }

    private static void refuse(StoredDelta delta, long before, long position, long tensorBytes) {
        if (position >= tensorBytes) {
            throw delta.refused("position %d lies outside its %d bytes".formatted(position, tensorBytes));
        }
        // Repeated positions would leave open which value counts.
        throw delta.refused("position %d follows %d; they must ascend".formatted(position, before));
    }

    @Override
    boolean patch(FrameReader frame, long position, int length) {
        boolean changed = false;
        int firstGroup = (int) (position / ChangedBytes.GROUP);
        int groups = ChangedBytes.groupsOf(length);
        for (int group = 0; group < groups; group++) {
            long bits = changedBytes.of(firstGroup + group);
            if (bits != 0) {
                changed = true;
                if (endOfValues - nextValue < ChangedBytes.GROUP) {
                    readValues(frame);
                }
                overwrite(group * ChangedBytes.GROUP, bits);
            }
        }
        return changed;
    }

    /** Spreads the next values over the bytes whose bits are set; bytes after the tensor's last have none. */
    private void overwrite(int start, long bits) {
        int next = nextValue;
        for (int i = 0; i < ChangedBytes.GROUP; i += Long.BYTES) {
            long marks = ByteDifference.marks(bits >>> i);
            long spread = Long.expand((long) LONG.get(values, next), marks);
            long old = (long) LONG.get(tensor.bytes, start + i);
            LONG.set(tensor.bytes, start + i, old & ~marks | spread);
            next += Long.bitCount(marks) / Byte.SIZE;
        }
        nextValue = next;
    }

    private void readValues(FrameReader frame) {
        int kept = endOfValues - nextValue;
        System.arraycopy(values, nextValue, values, 0, kept);
        int read = (int) Math.min(WINDOW_BYTES - kept, valuesToRead);
        frame.read(ByteBuffer.wrap(values, kept, read));
        valuesToRead -= read;
        nextValue = 0;
        endOfValues = kept + read;
    }
}
