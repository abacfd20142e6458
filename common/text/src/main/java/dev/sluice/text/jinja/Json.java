package dev.sluice.text.jinja;

import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Python's {@code json.dumps}, as the {@code tojson} of transformers calls it: no HTML escapes, characters as they are.
 *
 * @see <a href="https://github.com/huggingface/transformers/blob/v5.0.0/src/transformers/utils/chat_template_utils.py">
 *     chat_template_utils.py</a>
 */
final class Json {
    private static final int MAXIMUM_NESTING = 200;
    private static final int MAXIMUM_INDENT = 16;

    private final boolean ascii;
    private final @Nullable String indent;
    private final String itemSeparator;
    private final String keySeparator;
    private final boolean sorted;
    private final Budget budget;
    private final StringBuilder text = new StringBuilder();

    private Json(Function.Given options, Budget budget) {
        this.ascii = options.flag(0, "ensure_ascii", false);
        Object width = options.at(1, "indent", null);
        this.indent = switch (width) {
            case null -> null;
            case String mark -> mark.substring(0, Math.min(MAXIMUM_INDENT, mark.length()));
            default -> " ".repeat(Math.clamp(options.number(1, "indent", 0), 0, MAXIMUM_INDENT));
        };
        Object separators = options.at(2, "separators", null);
        if (separators == null) {
            this.itemSeparator = indent == null ? ", " : ",";
            this.keySeparator = ": ";
        } else {
            List<?> pair = Values.items(separators, budget);
            if (pair.size() != 2 || !(pair.get(0) instanceof String item) || !(pair.get(1) instanceof String key)) {
                throw new TemplateException("tojson's separators must be two texts");
            }
            this.itemSeparator = item;
            this.keySeparator = key;
        }
        this.sorted = options.flag(3, "sort_keys", false);
        this.budget = budget;
    }

    /** The JSON text of a value; options are {@code ensure_ascii, indent, separators, sort_keys}. */
    static String of(@Nullable Object value, Function.Given options, Budget budget) {
        Json json = new Json(options, budget);
        json.write(value, 0);
        return json.text.toString();
    }

    private void write(@Nullable Object value, int nesting) {
        if (nesting > MAXIMUM_NESTING) {
            throw new TemplateException("a value nests deeper than " + MAXIMUM_NESTING + " levels");
        }
        budget.step();
        switch (value) {
            case null -> text.append("null");
            case Boolean flag -> text.append(flag);
            case Double number -> text.append(number(number));
            case Number number -> text.append(number);
            case String string -> string(budget.made(string));
            case List<?> list -> items(list, nesting);
            case Tuple tuple -> items(tuple.items(), nesting);
            case Map<?, ?> map -> entries(map, nesting);
            case Undefined nothing -> throw nothing.used();
            default -> throw new TemplateException("a " + Values.typeName(value) + " cannot be written as JSON");
        }
    }

    private static String number(double number) {
        if (Double.isNaN(number)) {
            return "NaN";
        }
        return Double.isInfinite(number) ? (number > 0 ? "Infinity" : "-Infinity") : PythonText.number(number);
    }

    private void items(List<?> items, int nesting) {
        if (items.isEmpty()) {
            text.append("[]");
            return;
        }
        text.append('[');
        boolean first = true;
        for (Object item : items) {
            separate(first, nesting + 1);
            first = false;
            write(item, nesting + 1);
        }
        newline(nesting);
        text.append(']');
    }

    private void entries(Map<?, ?> map, int nesting) {
        if (map.isEmpty()) {
            text.append("{}");
            return;
        }
        Stream<? extends Map.Entry<?, ?>> entries = map.entrySet().stream();
        if (sorted) {
            entries = entries.sorted(Comparator.comparing(entry -> key(entry.getKey()), Values::compareTexts));
        }
        text.append('{');
        boolean first = true;
        for (Map.Entry<?, ?> entry : entries.toList()) {
            separate(first, nesting + 1);
            first = false;
            string(budget.made(key(entry.getKey())));
            text.append(keySeparator);
            write(entry.getValue(), nesting + 1);
        }
        newline(nesting);
        text.append('}');
    }

    private static String key(@Nullable Object key) {
        return switch (key) {
            case null -> "null";
            case Double number -> number(number);
            default -> key.toString();
        };
    }

    private void separate(boolean first, int nesting) {
        if (!first) {
            budget.charge(itemSeparator.length());
            text.append(itemSeparator);
        }
        newline(nesting);
    }

    private void newline(int nesting) {
        if (indent != null) {
            budget.charge((long) nesting * indent.length());
            text.append('\n').append(indent.repeat(nesting));
        }
    }

    private void string(String string) {
        text.append('"');
        for (int i = 0; i < string.length(); i++) {
            char c = string.charAt(i);
            switch (c) {
                case '"' -> text.append("\\\"");
                case '\\' -> text.append("\\\\");
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\b' -> text.append("\\b");
                case '\f' -> text.append("\\f");
                default -> {
                    if (c < 0x20 || (ascii && c > 0x7e)) {
                        text.append("\\u%04x".formatted((int) c));
                    } else {
                        text.append(c);
                    }
                }
            }
        }
        text.append('"');
    }
}
