package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The filters of Jinja2 that chat templates use, and the {@code tojson} of transformers.
 *
 * @see <a href="https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-filters">Built-in filters</a>
 */
final class Filters {
    private final Budget budget;
    private final ListFilters lists;

    Filters(Budget budget) {
        this.budget = budget;
        this.lists = new ListFilters(budget, this);
    }

    @Nullable
    Object apply(String name, @Nullable Object value, Given given) {
        budget.step();
        return switch (name) {
            case "tojson" -> Json.of(value, given, budget);
            case "length", "count" -> Values.length(value);
            case "default", "d" -> {
                boolean absent =
                        value instanceof Undefined || (given.flag(1, "boolean", false) && !Values.truth(value));
                yield absent ? given.at(0, "default_value", "") : value;
            }
            case "items" -> items(value);
            case "dictsort" -> sorted(value, given);
            case "string" -> text(value);
            case "safe" -> value instanceof String ? value : text(value);
            case "trim" ->
                PythonText.strip(
                        text(value), given.at(0, "chars", null) == null ? null : given.text(0, "chars"), true, true);
            case "upper" -> text(value).toUpperCase(Locale.ROOT);
            case "lower" -> text(value).toLowerCase(Locale.ROOT);
            case "capitalize" -> StringMethods.capitalized(text(value));
            case "title" -> StringMethods.title(text(value));
            case "replace" ->
                StringMethods.replace(
                        text(value), given.text(0, "old"), given.text(1, "new"), given.number(2, "count", -1), budget);
            case "indent" -> indented(text(value), given);
            case "int" -> wholeNumber(value, given.at(0, "default", 0L));
            case "float" -> decimalNumber(value, given.at(0, "default", 0.0));
            case "abs" -> absolute(value);
            default -> lists.apply(name, value, given);
        };
    }

    private String text(@Nullable Object value) {
        return budget.made(PythonText.of(value, budget));
    }

    private List<@Nullable Object> items(@Nullable Object value) {
        return switch (value) {
            case Map<?, ?> map -> Methods.pairs(map, budget);
            case Undefined nothing -> List.of();
            case null, default ->
                throw new TemplateException("a " + Values.typeName(value) + " has no key-value pairs");
        };
    }

    private List<@Nullable Object> sorted(@Nullable Object value, Given given) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new TemplateException("a " + Values.typeName(value) + " cannot be sorted as a dict");
        }
        boolean caseSensitive = given.flag(0, "case_sensitive", false);
        int by = given.at(1, "by", "key").equals("value") ? 1 : 0;
        List<@Nullable Object> pairs = new ArrayList<>(Methods.pairs(map, budget));
        Comparator<@Nullable Object> order = (a, b) -> Values.compare(
                folded(((Tuple) a).items().get(by), caseSensitive),
                folded(((Tuple) b).items().get(by), caseSensitive),
                budget);
        pairs.sort(given.flag(2, "reverse", false) ? order.reversed() : order);
        return pairs;
    }

    static @Nullable Object folded(@Nullable Object value, boolean caseSensitive) {
        return !caseSensitive && value instanceof String text ? text.toLowerCase(Locale.ROOT) : value;
    }

    private String indented(String text, Given given) {
        Object width = given.at(0, "width", 4L);
        String indent =
                width instanceof String mark ? mark : " ".repeat(Math.clamp(given.number(0, "width", 4), 0, 100));
        boolean blank = given.flag(2, "blank", false);
        List<@Nullable Object> lines = Splitting.lines(text, false, budget);
        StringBuilder whole = new StringBuilder();
        for (int i = 0; i < lines.size(); i++) {
            String line = (String) lines.get(i);
            budget.charge(indent.length());
            boolean marked = i == 0 ? given.flag(1, "first", false) : blank || !line.isEmpty();
            whole.append(i == 0 ? "" : "\n").append(marked ? indent : "").append(line);
        }
        return whole.append(text.endsWith("\n") ? "\n" : "").toString();
    }

    private static @Nullable Object wholeNumber(@Nullable Object value, @Nullable Object otherwise) {
        try {
            return switch (value) {
                case Long number -> number;
                case Boolean flag -> flag ? 1L : 0L;
                case Double number when Double.isFinite(number) -> number.longValue();
                case String text -> (long) Double.parseDouble(text.strip());
                case null, default -> otherwise;
            };
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    private static @Nullable Object decimalNumber(@Nullable Object value, @Nullable Object otherwise) {
        try {
            return switch (value) {
                case String text -> Double.parseDouble(text.strip());
                case null -> otherwise;
                default -> Values.isNumber(value) ? Numbers.toDouble(value) : otherwise;
            };
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }

    private static Object absolute(@Nullable Object value) {
        // Without the cast both would become doubles.
        return value instanceof Double number
                ? (Object) Math.abs(number)
                : Numbers.small(Numbers.toInteger(value).abs());
    }
}
