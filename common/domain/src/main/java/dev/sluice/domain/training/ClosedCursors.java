package dev.sluice.domain.training;

import java.util.Collection;
import java.util.List;
import java.util.TreeSet;

/** The cursors that are used up: all below a bound and some above it. */
final class ClosedCursors {
    private long below;
    private final TreeSet<Long> above = new TreeSet<>();

    ClosedCursors(long below, Collection<Long> above) {
        this.below = below;
        above.forEach(this::close);
    }

    /** Whether it was open before. */
    boolean close(long cursor) {
        if (!isOpen(cursor)) {
            return false;
        }
        above.add(cursor);
        while (above.remove(below)) {
            below++;
        }
        return true;
    }

    void reopen(Collection<Long> cursors) {
        for (long cursor : cursors) {
            while (cursor < below) {
                above.add(--below);
            }
        }
        above.removeAll(cursors);
    }

    boolean isOpen(long cursor) {
        return cursor >= below && !above.contains(cursor);
    }

    long below() {
        return below;
    }

    List<Long> above() {
        return List.copyOf(above);
    }
}
