package dev.sluice.checkpoint;

import java.util.ArrayList;
import java.util.List;

/**
 * A large file that is to be written. Where each byte of it belongs is known before the first is written, so that several threads can write it and a
 * later process can go on with it.
 *
 * @param path below the output's directory, with slashes
 * @param pieces without gaps from byte 0
 */
record OutputFile(String path, List<Piece> pieces) {
    OutputFile {
        pieces = List.copyOf(pieces);
        long end = 0;
        for (Piece piece : pieces) {
            if (piece.begin() != end) {
                throw new IllegalStateException(
                        "%s: a piece begins at byte %d, the one before ends at %d".formatted(path, piece.begin(), end));
            }
            end = piece.end();
        }
    }

    long bytes() {
        return pieces.isEmpty() ? 0 : pieces.getLast().end();
    }

    /** Cuts the file into runs of whole pieces that hold at least so many bytes each, but for the last. */
    List<Stretch> stretches(long stretchBytes) {
        List<Stretch> stretches = new ArrayList<>();
        List<Piece> open = new ArrayList<>();
        long bytes = 0;
        for (Piece piece : pieces) {
            open.add(piece);
            bytes += piece.bytes();
            if (bytes >= stretchBytes) {
                stretches.add(new Stretch(path, open));
                open = new ArrayList<>();
                bytes = 0;
            }
        }
        if (!open.isEmpty()) {
            stretches.add(new Stretch(path, open));
        }
        return stretches;
    }
}
