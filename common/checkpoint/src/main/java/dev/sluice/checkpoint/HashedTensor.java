package dev.sluice.checkpoint;

import java.util.HexFormat;

/**
 * A tensor's bytes in a file and their hash.
 *
 * @param xxh3 XXH3-64 with seed 0
 */
public record HashedTensor(StoredTensor tensor, long xxh3) {
    String hexadecimal() {
        return hexadecimal(xxh3);
    }

    static String hexadecimal(long hash) {
        return HexFormat.of().toHexDigits(hash);
    }
}
