package dev.sluice.domain.reward.math;

import java.util.Optional;

/** Finds the answer that a solution puts into {@code \boxed{}}. */
public final class Boxed {
    private static final String BOXED = "\\boxed";
    private static final String OPENING = "\\boxed{";

    private Boxed() {}

    /** Whether the text has a {@code \boxed}, closed or not. */
    public static boolean isIn(String text) {
        return text.contains(BOXED);
    }

    /** The content of the last {@code \boxed{...}}, its braces matched; empty where there is none or it is not closed. */
    public static Optional<String> last(String text) {
        int start = text.lastIndexOf(BOXED);
        if (start < 0) {
            return Optional.empty();
        }
        int open = 0;
        for (int i = start; i < text.length(); i++) {
            char letter = text.charAt(i);
            if (letter == '{') {
                open++;
            } else if (letter == '}' && --open == 0) {
                String box = text.substring(start, i + 1);
                return box.startsWith(OPENING)
                        ? Optional.of(box.substring(OPENING.length(), box.length() - 1))
                        : Optional.empty();
            }
        }
        return Optional.empty();
    }
}
