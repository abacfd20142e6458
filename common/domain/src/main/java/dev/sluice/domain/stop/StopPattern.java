package dev.sluice.domain.stop;

import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;

/**
 * A regular expression of which a match ends an output. It is searched in time that is linear in the text, whatever was written: RE2
 * knows neither look-around nor references to groups.
 *
 * @see <a href="https://github.com/google/re2/wiki/Syntax">RE2's syntax</a>
 */
public final class StopPattern {
    /** Patterns of one request, at most. */
    public static final int MAX_PATTERNS = 8;

    private static final int MAX_CHARACTERS = 256;
    /** Repeats are written out before anything can count what comes of them. */
    private static final long MAX_REPEATS = 1000;
    /** Instructions; each may be tried at each character of the text. */
    private static final int MAX_SIZE = 512;

    private static final java.util.regex.Pattern REPEAT = java.util.regex.Pattern.compile("\\{(\\d+)(?:,(\\d*))?}");

    private final Pattern pattern;

    private StopPattern(Pattern pattern) {
        this.pattern = pattern;
    }

    /** @throws IllegalArgumentException with a message for people if it cannot be searched for */
    public static StopPattern of(String regex) {
        if (regex.isEmpty() || regex.length() > MAX_CHARACTERS) {
            throw new IllegalArgumentException(
                    "a stop pattern has 1 to %d characters, this one %d".formatted(MAX_CHARACTERS, regex.length()));
        }
        if (repeats(regex) > MAX_REPEATS) {
            throw new IllegalArgumentException(
                    "the counts of its repeats multiply to more than %d; lower them".formatted(MAX_REPEATS));
        }
        try {
            Pattern pattern = Pattern.compile(regex);
            if (pattern.programSize() > MAX_SIZE) {
                throw new IllegalArgumentException("it compiles to %d instructions; at most %d are searched for"
                        .formatted(pattern.programSize(), MAX_SIZE));
            }
            if (pattern.matcher("").find()) {
                throw new IllegalArgumentException("it matches the empty text, which would end every output at once");
            }
            return new StopPattern(pattern);
        } catch (PatternSyntaxException e) {
            throw new IllegalArgumentException(
                    "it is no regular expression of RE2: %s; look-around and back references are none"
                            .formatted(e.getMessage()),
                    e);
        }
    }

    /** What is wrong with a pattern, if anything. */
    public static Optional<String> objection(String regex) {
        try {
            of(regex);
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /** Repeats can stand within each other, so their counts multiply at worst. */
    private static long repeats(String regex) {
        long product = 1;
        Matcher counts = REPEAT.matcher(regex);
        while (counts.find() && product <= MAX_REPEATS) {
            String most = counts.group(2) == null || counts.group(2).isEmpty() ? counts.group(1) : counts.group(2);
            product *= most.length() > 4 ? MAX_REPEATS + 1 : Math.max(1, Long.parseLong(most));
        }
        return product;
    }

    /** Whether it matches anywhere in a text. */
    public boolean isIn(String text) {
        return pattern.matcher(text).find();
    }

    /** The first of several that matches, as it was written. */
    public static Optional<String> firstIn(List<StopPattern> patterns, String text) {
        return patterns.stream()
                .filter(pattern -> pattern.isIn(text))
                .map(pattern -> pattern.pattern.pattern())
                .findFirst();
    }
}
