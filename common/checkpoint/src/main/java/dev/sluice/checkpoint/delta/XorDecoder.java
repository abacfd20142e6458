package dev.sluice.checkpoint.delta;

final class XorDecoder extends TensorDecoder {
    private final ByteWindow difference = new ByteWindow();

    @Override
    void begin(StoredDelta delta, FrameReader frame, long tensorBytes) {
        FrameHeader.read(delta).check(delta, DeltaEncoding.XOR, tensorBytes);
    }

    @Override
    boolean patch(FrameReader frame, long position, int length) {
        frame.read(payload, length);
        difference.toWords(payload);
        tensor.toWords(length);
        int words = ByteWindow.wordsOf(length);
        long any = 0;
        for (int i = 0; i < words; i++) {
            any |= difference.words[i];
            tensor.words[i] ^= difference.words[i];
        }
        tensor.toBytes(length);
        return any != 0;
    }
}
