package dev.sluice.cpu.engine;

import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** Fingerprints of weights. */
final class Checksums {
    private Checksums() {}

    /** SHA-256 over the fused tensors' names and little-endian values (float32, or bfloat16 where the engine computes in it), in the model's order; lower-case hex. */
    static String of(Weights weights) {
        MessageDigest sha256;
        try {
            sha256 = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
        weights.fused().forEach((name, tensor) -> {
            sha256.update(name.getBytes(StandardCharsets.UTF_8));
            sha256.update(Tensors.bytes(tensor));
        });
        return HexFormat.of().formatHex(sha256.digest());
    }
}
