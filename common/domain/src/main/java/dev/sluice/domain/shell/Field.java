package dev.sluice.domain.shell;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One argument that a command would get, expanded as far as the text tells.
 *
 * @param text with {@link Gap#shown()} where something is not known
 * @param place where the argument is written, which for an array's element is not where the array is used
 * @param gaps what is not known, empty where all is
 * @param doubt why the argument may be absent, where it may
 */
public record Field(
        String text, Place place, List<Gap> gaps, @Nullable Doubt doubt) {
    public Field {
        gaps = List.copyOf(gaps);
    }

    static Field of(Value value, Place place, @Nullable Doubt doubt) {
        return new Field(value.text(), place, value.gaps(), doubt);
    }

    /** Whether the text is what the command would get. */
    public boolean known() {
        return gaps.isEmpty();
    }

    /** Whether nothing of the text is known and it may be no argument at all, as {@code $EXTRA} without a value. */
    public boolean blank() {
        return gaps.size() == 1 && gaps.getFirst().shown().equals(text);
    }

    Value value() {
        return new Value(text, gaps);
    }
}
