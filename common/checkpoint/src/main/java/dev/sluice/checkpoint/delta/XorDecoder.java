package dev.sluice.checkpoint.delta;

import static dev.sluice.checkpoint.delta.LittleEndian.LONG;

final class XorDecoder extends TensorDecoder {
    private final ByteWindow difference = new ByteWindow(WINDOW_BYTES);

    @Override
    void begin(StoredDelta delta, FrameReader frame, long tensorBytes) {
        FrameHeader.read(delta).check(delta, DeltaEncoding.XOR, tensorBytes);
    }

    @Override
    boolean patch(FrameReader frame, long position, int length) {
        frame.read(difference.first(length));
        difference.clearAfter(length);
        return apply(tensor.bytes, difference.bytes, length);
    }

    private static boolean apply(byte[] tensor, byte[] difference, int length) {
        int words = ByteWindow.wordsOf(length);
        long any = 0;
        for (int i = 0; i < words; i++) {
            long word = (long) LONG.get(difference, i * Long.BYTES);
            LONG.set(tensor, i * Long.BYTES, (long) LONG.get(tensor, i * Long.BYTES) ^ word);
            any |= word;
        }
        return any != 0;
    }
}
