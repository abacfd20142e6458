package dev.sluice.domain.shell;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What the script's variables hold at one point of its reading. */
final class Variables {
    private final Map<String, Value> single = new HashMap<>();
    private final Map<String, List<Field>> arrays = new HashMap<>();
    private final Set<String> exported = new LinkedHashSet<>();
    private List<Field> positional = List.of();

    Variables(Map<String, String> given) {
        given.forEach((name, text) -> {
            single.put(name, Value.of(text));
            exported.add(name);
        });
    }

    /** The value of {@code $name}, which of an array is its first element's; empty where the name is not set. */
    Optional<Value> value(String name) {
        List<Field> array = arrays.get(name);
        if (array != null) {
            return array.stream().findFirst().map(Field::value);
        }
        return Optional.ofNullable(single.get(name));
    }

    /** All elements; a single value is an array of one. */
    List<Field> elements(String name, Place place) {
        List<Field> array = arrays.get(name);
        if (array != null) {
            return array;
        }
        Value value = single.get(name);
        return value == null ? List.of() : List.of(Field.of(value, place, null));
    }

    boolean isArray(String name) {
        return arrays.containsKey(name);
    }

    void set(String name, Value value) {
        arrays.remove(name);
        single.put(name, value);
    }

    void set(String name, List<Field> elements) {
        single.remove(name);
        arrays.put(name, new ArrayList<>(elements));
    }

    void unset(String name) {
        single.remove(name);
        arrays.remove(name);
        exported.remove(name);
    }

    void export(String name) {
        exported.add(name);
    }

    /** The arguments of the function that is read, {@code $1} first. */
    List<Field> positional() {
        return positional;
    }

    void positional(List<Field> arguments) {
        positional = List.copyOf(arguments);
    }

    Map<String, Field> exported(Place place) {
        Map<String, Field> seen = new LinkedHashMap<>();
        for (String name : exported) {
            value(name).ifPresent(value -> seen.put(name, Field.of(value, place, null)));
        }
        return seen;
    }
}
