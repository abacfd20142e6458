package dev.sluice.checkpoint.delta;

import com.dynatrace.hash4j.hashing.HashValue128;
import java.util.HexFormat;
import java.util.zip.Adler32;
import org.apache.commons.codec.digest.Blake3;

/** A checksum under way over the bytes of one tensor. */
sealed interface TensorDigest {
    void update(byte[] bytes, int length);

    /** Lower-case hexadecimal, the most significant digit first, as the Python libraries print it. */
    String hex();

    record Xxh(Xxh3 hash) implements TensorDigest {
        Xxh() {
            this(new Xxh3());
        }

        @Override
        public void update(byte[] bytes, int length) {
            hash.update(bytes, length);
        }

        @Override
        public String hex() {
            HashValue128 value = hash.finish();
            HexFormat hex = HexFormat.of();
            return hex.toHexDigits(value.getMostSignificantBits()) + hex.toHexDigits(value.getLeastSignificantBits());
        }
    }

    record Blake(Blake3 hash) implements TensorDigest {
        Blake() {
            this(Blake3.initHash());
        }

        @Override
        public void update(byte[] bytes, int length) {
            hash.update(bytes, 0, length);
        }

        @Override
        public String hex() {
            return HexFormat.of().formatHex(hash.doFinalize(32));
        }
    }

    record Adler(Adler32 sum) implements TensorDigest {
        Adler() {
            this(new Adler32());
        }

        @Override
        public void update(byte[] bytes, int length) {
            sum.update(bytes, 0, length);
        }

        @Override
        public String hex() {
            return HexFormat.of().toHexDigits((int) sum.getValue());
        }
    }
}
