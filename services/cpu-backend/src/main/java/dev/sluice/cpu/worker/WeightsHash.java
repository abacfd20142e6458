package dev.sluice.cpu.worker;

import dev.sluice.checkpoint.DType;
import dev.sluice.cpu.model.WeightSource;
import dev.sluice.cpu.model.Weights;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/** What stands for all weights of what is trained, bit for bit. */
final class WeightsHash {
    private WeightsHash() {}

    /** SHA-256, hexadecimal, over names and float32 values in each model's own order; on-disk copies are left out. */
    static String sha256(List<Weights> models) {
        MessageDigest digest = digest();
        try (WritableByteChannel out =
                Channels.newChannel(new DigestOutputStream(OutputStream.nullOutputStream(), digest))) {
            for (Weights weights : models) {
                add(digest, weights, out);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("a hash writes nothing and failed all the same", e);
        }
        return HexFormat.of().formatHex(digest.digest());
    }

    private static void add(MessageDigest digest, Weights weights, WritableByteChannel out) throws IOException {
        for (WeightSource tensor : WeightSource.all(weights, DType.F32)) {
            if (!tensor.slice().copy()) {
                digest.update(tensor.name().getBytes(StandardCharsets.UTF_8));
                tensor.writeTo(out);
            }
        }
    }

    private static MessageDigest digest() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }
}
