package dev.sluice.domain.training;

import java.util.ArrayList;
import java.util.List;

/** What happened so far: a broken promise is told with it. */
final class Moves {
    private final List<String> moves = new ArrayList<>();

    void add(String what) {
        moves.add(what);
    }

    void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise + "\n  " + String.join("\n  ", moves));
        }
    }
}
