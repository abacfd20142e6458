package dev.sluice.domain.candidate;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * Command-line flags of one program, in order, each at most once.
 *
 * @param values by name with both dashes; a flag without a value has an empty list
 */
public record Flags(Map<String, List<String>> values) {
    public static final Flags NONE = new Flags(Map.of());

    public Flags {
        values = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    public boolean has(String name) {
        return values.containsKey(name);
    }

    /** The flag's only value, or the default where the flag is absent or has no value. */
    public String text(String name, String otherwise) {
        List<String> found = values.getOrDefault(name, List.of());
        return found.isEmpty() ? otherwise : found.getFirst();
    }

    /** The flag's value as a number, or the default where it is absent or no number. */
    public double number(String name, double otherwise) {
        return number(name).orElse(otherwise);
    }

    /** The flag's value as a number; empty where the flag is absent or its value is no number. */
    public OptionalDouble number(String name) {
        try {
            String text = text(name, "");
            return text.isEmpty() ? OptionalDouble.empty() : OptionalDouble.of(Double.parseDouble(text));
        } catch (NumberFormatException e) {
            return OptionalDouble.empty();
        }
    }

    public Flags with(String name, Object... value) {
        Map<String, List<String>> copy = new LinkedHashMap<>(values);
        copy.put(name, java.util.Arrays.stream(value).map(String::valueOf).toList());
        return new Flags(copy);
    }

    public Flags without(String name) {
        Map<String, List<String>> copy = new LinkedHashMap<>(values);
        copy.remove(name);
        return new Flags(copy);
    }

    /** The list that a program is started with. */
    public List<String> toArguments() {
        List<String> arguments = new ArrayList<>();
        values.forEach((name, value) -> {
            arguments.add(name);
            arguments.addAll(value);
        });
        return List.copyOf(arguments);
    }
}
