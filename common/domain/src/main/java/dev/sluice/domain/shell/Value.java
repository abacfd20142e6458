package dev.sluice.domain.shell;

import java.util.ArrayList;
import java.util.List;

/** A text and what is not known of it. */
record Value(String text, List<Gap> gaps) {
    static final Value EMPTY = new Value("", List.of());

    Value {
        gaps = List.copyOf(gaps);
    }

    static Value of(String text) {
        return new Value(text, List.of());
    }

    static Value unknown(Gap gap) {
        return new Value(gap.shown(), List.of(gap));
    }

    boolean known() {
        return gaps.isEmpty();
    }

    Value plus(Value other) {
        if (other.gaps.isEmpty()) {
            return new Value(text + other.text, gaps);
        }
        List<Gap> both = new ArrayList<>(gaps);
        both.addAll(other.gaps);
        return new Value(text + other.text, both);
    }
}
