package dev.sluice.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Attributes and items of values; nothing but the methods listed here can be called on a value. */
final class Methods {
    private static final Set<String> CHANGING = Set.of(
            "append",
            "clear",
            "extend",
            "fromkeys",
            "insert",
            "pop",
            "popitem",
            "remove",
            "reverse",
            "setdefault",
            "sort",
            "update");

    private Methods() {}

    /** {@code value.name}: a method first, then an item. */
    static @Nullable Object attribute(@Nullable Object value, String name, Budget budget) {
        if (value instanceof Undefined nothing) {
            throw nothing.used();
        }
        Function method = method(value, name, budget);
        return method == null ? member(value, name) : method;
    }

    /** {@code value[key]}: an item first, then a method. */
    static @Nullable Object item(@Nullable Object value, @Nullable Object key, Budget budget) {
        if (value instanceof Undefined nothing) {
            throw nothing.used();
        }
        if (key instanceof String name) {
            Object member = member(value, name);
            Function method = member instanceof Undefined ? method(value, name, budget) : null;
            return method == null ? member : method;
        }
        if (value instanceof Map<?, ?> map) {
            return map.containsKey(Values.key(key)) ? map.get(key) : absent(value, key);
        }
        if (!(key instanceof Long at)
                || !(value instanceof String || value instanceof List || value instanceof Tuple)) {
            return absent(value, key);
        }
        long length = Values.length(value);
        long place = at < 0 ? at + length : at;
        if (place < 0 || place >= length) {
            return absent(value, key);
        }
        return switch (value) {
            case String text -> {
                budget.charge(text.length());
                int index = text.offsetByCodePoints(0, (int) place);
                yield Character.toString(text.codePointAt(index));
            }
            default -> Values.items(value, budget).get((int) place);
        };
    }

    private static Undefined absent(@Nullable Object value, @Nullable Object key) {
        return new Undefined("'" + Values.typeName(value) + " object' has no element "
                + (key instanceof String || Values.isNumber(key) ? key : "of type " + Values.typeName(key)));
    }

    private static @Nullable Object member(@Nullable Object value, String name) {
        return switch (value) {
            case Map<?, ?> map when map.containsKey(name) -> map.get(name);
            case Namespace namespace -> namespace.get(name);
            case Loop loop -> loop.member(name);
            case null, default ->
                new Undefined("'" + Values.typeName(value) + " object' has no attribute '" + name + "'");
        };
    }

    private static @Nullable Function method(@Nullable Object value, String name, Budget budget) {
        boolean container = value instanceof List || value instanceof Map;
        if (container && CHANGING.contains(name) && (value instanceof List || !isListOnly(name))) {
            return given -> {
                throw new TemplateException("a template may not change a " + Values.typeName(value) + " with ." + name
                        + "(); the sandbox of transformers refuses it too");
            };
        }
        return switch (value) {
            case String text -> StringMethods.of(text, name, budget);
            case Map<?, ?> map -> dictionaryMethod(map, name, budget);
            case null, default -> null;
        };
    }

    private static boolean isListOnly(String name) {
        return Set.of("append", "extend", "insert", "remove", "reverse", "sort").contains(name);
    }

    private static @Nullable Function dictionaryMethod(Map<?, ?> map, String name, Budget budget) {
        return switch (name) {
            case "get" ->
                given -> {
                    Object key = Values.key(given.required(0, "key"));
                    return map.containsKey(key) ? map.get(key) : given.at(1, "default", null);
                };
            case "keys" -> given -> Values.items(map, budget);
            case "values" ->
                given -> {
                    budget.items(map.size());
                    return new ArrayList<@Nullable Object>(map.values());
                };
            case "items" -> given -> pairs(map, budget);
            case "copy" -> given -> map;
            default -> null;
        };
    }

    static List<@Nullable Object> pairs(Map<?, ?> map, Budget budget) {
        budget.items(map.size());
        List<@Nullable Object> pairs = new ArrayList<>();
        map.forEach((key, value) -> pairs.add(Tuple.of(key, value)));
        return pairs;
    }
}
