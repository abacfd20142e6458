package dev.sluice.text.jinja;

import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Python's tuple: a list that prints in round brackets. */
record Tuple(List<@Nullable Object> items) {
    static Tuple of(@Nullable Object... items) {
        return new Tuple(Collections.unmodifiableList(Arrays.asList(items)));
    }
}
