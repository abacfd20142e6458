package dev.sluice.checkpoint;

import java.util.List;
import java.util.Objects;

/**
 * The unit of writing, and of going on after a crash: consecutive pieces of one file.
 *
 * @param file path below the output's directory
 */
record Stretch(String file, List<Piece> pieces) {
    Stretch {
        pieces = List.copyOf(pieces);
    }

    long begin() {
        return pieces.getFirst().begin();
    }

    long end() {
        return pieces.getLast().end();
    }

    long bytes() {
        return end() - begin();
    }

    List<StoredTensor> tensors() {
        return pieces.stream().map(Piece::tensor).filter(Objects::nonNull).toList();
    }
}
