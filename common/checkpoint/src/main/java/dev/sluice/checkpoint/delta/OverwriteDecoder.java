package dev.sluice.checkpoint.delta;

import java.util.OptionalLong;

/** Reads all positions first, because the values stand after them. */
final class OverwriteDecoder extends TensorDecoder {
    private final ChangedBytes changedBytes = new ChangedBytes();
    private long valuesLeft;

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
        valuesLeft = count;
        payload.limit(0);
    }

    private void readPositions(StoredDelta delta, FrameReader frame, long count, long tensorBytes) {
        long before = -1;
        long left = count * Integer.BYTES;
        while (left > 0) {
            frame.read(payload, (int) Math.min(payload.capacity(), left));
            left -= payload.limit();
            while (payload.hasRemaining()) {
                long position = Integer.toUnsignedLong(payload.getInt());
                if (position >= tensorBytes) {
                    throw delta.refused("position %d lies outside its %d bytes".formatted(position, tensorBytes));
                }
                if (position <= before) {
                    // Repeated positions would leave open which value counts.
                    throw delta.refused("position %d follows %d; they must ascend".formatted(position, before));
                }
                changedBytes.add(position);
                before = position;
            }
        }
    }

    @Override
    boolean patch(FrameReader frame, long position, int length) {
        boolean changed = false;
        for (int start = 0; start < length; start += Long.SIZE) {
            long bits = changedBytes.from(position + start);
            changed |= bits != 0;
            for (; bits != 0; bits &= bits - 1) {
                if (!payload.hasRemaining()) {
                    frame.read(payload, (int) Math.min(payload.capacity(), valuesLeft));
                    valuesLeft -= payload.limit();
                }
                tensor.bytes[start + Long.numberOfTrailingZeros(bits)] = payload.get();
            }
        }
        return changed;
    }
}
