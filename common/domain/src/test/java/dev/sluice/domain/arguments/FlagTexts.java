package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Flags as people write them in scripts. */
final class FlagTexts {
    private FlagTexts() {}

    /** {@code --flag value} pairs, over any number of lines. */
    static Flags flags(String text) {
        Map<String, List<String>> flags = new LinkedHashMap<>();
        String last = null;
        for (String word : text.strip().split("\\s+")) {
            if (word.startsWith("--")) {
                last = word;
                flags.put(word, List.of());
            } else {
                flags.put(last, List.of(word));
            }
        }
        return new Flags(flags);
    }

    /** What stands in one list and not, or with another value, in the other; numbers count as numbers. */
    static Set<String> only(Flags in, Flags notIn) {
        Set<String> only = new TreeSet<>();
        in.values().forEach((name, value) -> {
            if (!notIn.has(name) || !normal(value).equals(normal(notIn.values().get(name)))) {
                only.add((name + " " + String.join(" ", value)).strip());
            }
        });
        return only;
    }

    private static List<Object> normal(List<String> values) {
        return values.stream().map(FlagTexts::normal).toList();
    }

    private static Object normal(String value) {
        try {
            return Double.valueOf(value);
        } catch (NumberFormatException e) {
            return value;
        }
    }
}
