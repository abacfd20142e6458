package dev.sluice.checkpoint.delta;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.OptionalLong;

/** Reads all positions first, because the values stand after them. */
final class OverwriteDecoder extends TensorDecoder {
    private static final VarHandle WORD = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private final ChangedBytes changedBytes = new ChangedBytes();
    private final int[] positions = new int[ByteWindow.BYTES / Integer.BYTES];
    /** Eight more than are read, since a whole word is taken where one value is left. */
    private final byte[] values = new byte[ByteWindow.BYTES + Long.BYTES];

    private int nextValue;
    private int endOfValues;
    private long valuesToRead;

    @Override
    void begin(StoredDelta delta, FrameReader frame, long tensorBytes) {
        FrameHeader header = FrameHeader.read(delta);
        header.check(delta, DeltaEncoding.OVERWRITE, tensorBytes);
        frame.read(payload, Integer.BYTES);
        long count = Integer.toUnsignedLong(payload.getInt());
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
            int read = (int) Math.min(positions.length, left);
            frame.read(payload, read * Integer.BYTES);
            payload.asIntBuffer().get(positions, 0, read);
            int sound = changedBytes.add(positions, read, before, tensorBytes);
            if (sound < read) {
                long last = sound == 0 ? before : Integer.toUnsignedLong(positions[sound - 1]);
                refuse(delta, last, Integer.toUnsignedLong(positions[sound]), tensorBytes);
            }
            before = Integer.toUnsignedLong(positions[read - 1]);
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
        int groups = (length + ChangedBytes.GROUP - 1) / ChangedBytes.GROUP;
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
        for (int i = 0; i < ChangedBytes.GROUP; i += Long.BYTES) {
            int mask = (int) (bits >>> i) & 0xff;
            long bytes = ByteDifference.bytesOf(mask);
            long spread = Long.expand((long) WORD.get(values, nextValue), bytes);
            long old = (long) WORD.get(tensor.bytes, start + i);
            WORD.set(tensor.bytes, start + i, old & ~bytes | spread);
            nextValue += Integer.bitCount(mask);
        }
    }

    private void readValues(FrameReader frame) {
        int kept = endOfValues - nextValue;
        System.arraycopy(values, nextValue, values, 0, kept);
        int read = (int) Math.min(ByteWindow.BYTES - kept, valuesToRead);
        frame.read(payload, read);
        payload.get(values, kept, read);
        valuesToRead -= read;
        nextValue = 0;
        endOfValues = kept + read;
    }
}
