package dev.sluice.checkpoint.delta;

/** What proves that a tensor was rebuilt: a checksum of all its new bytes. */
public enum DeltaChecksum {
    /** The default: as fast as memory, 128 bits. */
    XXH3_128("xxh3-128", 32),
    /** Cryptographic, and several times slower than the compression. */
    BLAKE3("blake3", 64),
    /** 32 bits, from the Java platform; weak on short tensors. */
    ADLER32("adler32", 8);

    private final String text;
    private final int digits;

    DeltaChecksum(String text, int digits) {
        this.text = text;
        this.digits = digits;
    }

    /** The name in an index. */
    public String text() {
        return text;
    }

    boolean accepts(String checksum) {
        return checksum.length() == digits && checksum.matches("[0-9a-f]+");
    }

    TensorDigest start() {
        return switch (this) {
            case XXH3_128 -> new TensorDigest.Xxh();
            case BLAKE3 -> new TensorDigest.Blake();
            case ADLER32 -> new TensorDigest.Adler();
        };
    }
}
