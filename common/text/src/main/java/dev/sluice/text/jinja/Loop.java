package dev.sluice.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code loop} of a running {@code for}. */
final class Loop {
    private final List<@Nullable Object> items;
    private final int depth;
    private int index;

    /** @param depth 1 for a loop in no other loop */
    Loop(List<@Nullable Object> items, int depth) {
        this.items = items;
        this.depth = depth;
    }

    void moveTo(int place) {
        index = place;
    }

    int depth() {
        return depth;
    }

    @Nullable
    Object member(String name) {
        int length = items.size();
        return switch (name) {
            case "index" -> index + 1L;
            case "index0" -> (long) index;
            case "revindex" -> (long) length - index;
            case "revindex0" -> length - index - 1L;
            case "first" -> index == 0;
            case "last" -> index == length - 1;
            case "length" -> (long) length;
            case "depth" -> (long) depth;
            case "depth0" -> depth - 1L;
            case "previtem" -> index == 0 ? new Undefined("there is no previous item") : items.get(index - 1);
            case "nextitem" -> index == length - 1 ? new Undefined("there is no next item") : items.get(index + 1);
            case "cycle" ->
                (Function) given -> given.positional().isEmpty()
                        ? new Undefined("no items for cycling given")
                        : given.positional().get(index % given.positional().size());
            default -> new Undefined("'loop' has no attribute '" + name + "'");
        };
    }
}
