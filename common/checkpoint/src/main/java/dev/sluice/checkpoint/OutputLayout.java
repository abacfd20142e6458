package dev.sluice.checkpoint;

import com.dynatrace.hash4j.hashing.HashStream64;
import com.dynatrace.hash4j.hashing.Hashing;
import java.util.ArrayList;
import java.util.List;

/**
 * A whole output, decided before anything is written.
 *
 * @param files those with tensors
 * @param smallFiles the others in the order in which they are written; the last ones make the output a checkpoint
 */
record OutputLayout(List<OutputFile> files, List<SmallFile> smallFiles) {
    OutputLayout {
        files = List.copyOf(files);
        smallFiles = List.copyOf(smallFiles);
    }

    /** Bytes of all files but the manifest. */
    long bytes() {
        return tensorFileBytes()
                + smallFiles.stream().mapToLong(SmallFile::bytes).sum();
    }

    long tensorFileBytes() {
        return files.stream().mapToLong(OutputFile::bytes).sum();
    }

    /** The stretches of all files in turn: threads that take one after another then write different files, which file systems lock one by one. */
    List<Stretch> stretches(long stretchBytes) {
        List<List<Stretch>> ofFiles =
                files.stream().map(file -> file.stretches(stretchBytes)).toList();
        int longest = ofFiles.stream().mapToInt(List::size).max().orElse(0);
        List<Stretch> stretches = new ArrayList<>();
        for (int i = 0; i < longest; i++) {
            for (List<Stretch> ofFile : ofFiles) {
                if (i < ofFile.size()) {
                    stretches.add(ofFile.get(i));
                }
            }
        }
        return stretches;
    }

    /** Equal for two layouts that put the same tensors at the same places. */
    long signature() {
        HashStream64 hash = Hashing.xxh3_64().hashStream();
        for (OutputFile file : files) {
            hash.putString(file.path()).putLong(file.bytes());
            for (Piece piece : file.pieces()) {
                hash.putLong(piece.begin()).putString(String.valueOf(piece.tensor()));
            }
        }
        smallFiles.forEach(file -> hash.putString(file.path()).putLong(file.bytes()));
        return hash.getAsLong();
    }
}
