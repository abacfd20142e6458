package dev.sluice.checkpoint;

import com.dynatrace.hash4j.hashing.HashStream64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Names a source by its content without reading all of it: names, sizes and times of last change of the files at the top of its directories, small files
 * whole and of large ones the beginning, where the formats describe what follows.
 */
final class SourceKey {
    /** Another one for any change that gives the same source and layout other bytes. */
    private static final int WRITER_VERSION = 1;

    private static final int BEGINNING_BYTES = 1 << 20;

    private SourceKey() {}

    static String of(List<Path> directories, long layoutSignature) {
        HashStream64 hash =
                Hashing.xxh3_64().hashStream().putInt(WRITER_VERSION).putLong(layoutSignature);
        for (Path directory : directories) {
            try (Stream<Path> listed = Files.list(directory)) {
                for (Path file :
                        (Iterable<Path>) listed.filter(SourceKey::counts).sorted()::iterator) {
                    put(file, hash);
                }
            } catch (IOException e) {
                throw new CheckpointException("cannot read " + directory + ": " + e, e);
            }
        }
        return HashedTensor.hexadecimal(hash.getAsLong());
    }

    /** Hidden files are other programs' business, locks and unfinished outputs among them. */
    private static boolean counts(Path file) {
        String name = file.getFileName().toString();
        return Files.isRegularFile(file) && (!name.startsWith(".") || name.equals(TorchDistDirectory.METADATA));
    }

    private static void put(Path file, HashStream64 hash) throws IOException {
        hash.putString(file.getFileName().toString())
                .putLong(Files.size(file))
                .putString(Files.getLastModifiedTime(file).toInstant().toString());
        try (InputStream in = Files.newInputStream(file)) {
            hash.putByteArray(in.readNBytes(BEGINNING_BYTES));
        }
    }
}
