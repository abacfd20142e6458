package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.DropReason;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Where all open groups below the cursor stand at one weight version, with counts. Thousands are in flight and each result asks
 * how many are ready: only what has changed is worked out anew.
 */
final class Standings {
    private final TreeMap<Long, Standing> open = new TreeMap<>();
    private final TreeSet<Long> unasked = new TreeSet<>();
    private int ready;
    private int rejected;
    private int wanted;
    private int filteredOut;

    /**
     * Notes how a group stands now.
     *
     * @param asked whether the round that it wants was asked for
     */
    void put(long cursor, Standing standing, boolean asked) {
        remove(cursor);
        open.put(cursor, standing);
        count(standing, 1);
        if (standing instanceof Standing.Wanted && !asked) {
            unasked.add(cursor);
        }
    }

    /** Forgets a group that is used up. */
    void remove(long cursor) {
        Standing before = open.remove(cursor);
        if (before != null) {
            count(before, -1);
            unasked.remove(cursor);
        }
    }

    private void count(Standing standing, int change) {
        switch (standing) {
            case Standing.Ready usable -> ready += change;
            case Standing.Rejected unwanted -> rejected += change;
            case Standing.Wanted missing -> wanted += change;
            case Standing.Exhausted exhausted -> filteredOut += isFilteredOut(exhausted) ? change : 0;
        }
    }

    /** Whether a filter has left the group out for good. */
    static boolean isFilteredOut(Standing.Exhausted exhausted) {
        return !exhausted.drops().isEmpty() && exhausted.drops().getLast().reason() == DropReason.FILTERED;
    }

    /** Each open group by its cursor, lowest first; not to be kept. */
    Map<Long, Standing> open() {
        return open;
    }

    /** The lowest group whose round was not asked for. */
    OptionalLong firstUnasked() {
        return unasked.isEmpty() ? OptionalLong.empty() : OptionalLong.of(unasked.first());
    }

    /** Groups below a cursor that keep a place in the capacity: accepted or wanted. */
    int placesBelow(long cursor) {
        return (int) open.headMap(cursor).values().stream()
                .filter(standing -> !(standing instanceof Standing.Exhausted))
                .count();
    }

    /** Groups whose result can be trained on and that no filter leaves out. */
    int ready() {
        return ready;
    }

    /** Groups that a filter leaves out as long as a step has others. */
    int rejected() {
        return rejected;
    }

    /** Groups that keep their place in the capacity until a step is formed: a fallback asks for no more than a wave. */
    int accepted() {
        return ready + rejected;
    }

    /** Groups without a result, asked for or not. */
    int wanted() {
        return wanted;
    }

    /** Groups that a filter leaves out for good and that are not closed yet. */
    int filteredOut() {
        return filteredOut;
    }
}
