package dev.sluice.domain.shell;

import java.util.Optional;
import java.util.stream.IntStream;

/** Removes what a pattern matches from the start or the end of a text; {@code *} and {@code ?} are wild. */
final class Glob {
    /** Longer patterns are not tried: the work grows with the text's length squared times the pattern's. */
    private static final int LONGEST_PATTERN = 64;

    static final int LONGEST_TEXT = 1024;

    private Glob() {}

    /**
     * The text without what the pattern matches.
     *
     * @param operator {@code #} or {@code ##} for the start, {@code %} or {@code %%} for the end, doubled for the longest
     * @return empty where text or pattern are too long to be tried
     */
    static Optional<String> without(String text, String pattern, String operator) {
        if (pattern.length() > LONGEST_PATTERN || text.length() > LONGEST_TEXT) {
            return Optional.empty();
        }
        boolean start = operator.startsWith("#");
        boolean longest = operator.length() == 2;
        IntStream lengths = IntStream.rangeClosed(0, text.length());
        if (longest) {
            lengths = lengths.map(length -> text.length() - length);
        }
        return Optional.of(lengths.filter(length -> matches(piece(text, length, start), pattern))
                .mapToObj(length -> start ? text.substring(length) : text.substring(0, text.length() - length))
                .findFirst()
                .orElse(text));
    }

    private static String piece(String text, int length, boolean start) {
        return start ? text.substring(0, length) : text.substring(text.length() - length);
    }

    static boolean matches(String text, String pattern) {
        int star = -1;
        int from = 0;
        int t = 0;
        int p = 0;
        while (t < text.length()) {
            if (p < pattern.length() && pattern.charAt(p) == '*') {
                star = p++;
                from = t;
            } else if (p < pattern.length() && (pattern.charAt(p) == '?' || pattern.charAt(p) == text.charAt(t))) {
                p++;
                t++;
            } else if (star >= 0) {
                p = star + 1;
                t = ++from;
            } else {
                return false;
            }
        }
        while (p < pattern.length() && pattern.charAt(p) == '*') {
            p++;
        }
        return p == pattern.length();
    }
}
