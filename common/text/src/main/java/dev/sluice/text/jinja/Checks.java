package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Function.Given;
import java.math.BigInteger;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Jinja2's tests, what stands behind {@code is}.
 *
 * @see <a href="https://jinja.palletsprojects.com/en/stable/templates/#list-of-builtin-tests">Built-in tests</a>
 */
final class Checks {
    private final Budget budget;

    Checks(Budget budget) {
        this.budget = budget;
    }

    boolean passes(String test, @Nullable Object value, Given given) {
        budget.step();
        return switch (test) {
            case "defined" -> !(value instanceof Undefined);
            case "undefined" -> value instanceof Undefined;
            case "none" -> value == null;
            case "true" -> Boolean.TRUE.equals(value);
            case "false" -> Boolean.FALSE.equals(value);
            case "boolean" -> value instanceof Boolean;
            // Python counts True and False among the numbers.
            case "number" -> Values.isNumber(value);
            case "integer" -> value instanceof Long || value instanceof BigInteger;
            case "float" -> value instanceof Double;
            case "string" -> value instanceof String;
            case "mapping" -> value instanceof Map;
            case "iterable", "sequence" ->
                value instanceof String
                        || value instanceof List
                        || value instanceof Map
                        || value instanceof Tuple
                        || value instanceof Undefined;
            case "callable" -> value instanceof Function;
            case "odd" -> Numbers.compute("%", number(value), 2L).equals(1L);
            case "even" -> Numbers.compute("%", number(value), 2L).equals(0L);
            case "divisibleby" ->
                Numbers.compute("%", number(value), number(given.required(0, "num")))
                        .equals(0L);
            case "upper" -> value instanceof String text && text.equals(text.toUpperCase(Locale.ROOT));
            case "lower" -> value instanceof String text && text.equals(text.toLowerCase(Locale.ROOT));
            case "sameas" ->
                value == given.required(0, "other") || (value instanceof Boolean && value.equals(given.at(0, "other")));
            case "eq", "equalto", "==" -> Values.equal(value, given.required(0, "other"), budget);
            case "ne", "!=" -> !Values.equal(value, given.required(0, "other"), budget);
            case "lt", "lessthan", "<" -> Values.compare(value, given.required(0, "other"), budget) < 0;
            case "le", "<=" -> Values.compare(value, given.required(0, "other"), budget) <= 0;
            case "gt", "greaterthan", ">" -> Values.compare(value, given.required(0, "other"), budget) > 0;
            case "ge", ">=" -> Values.compare(value, given.required(0, "other"), budget) >= 0;
            case "in" -> Values.contains(given.required(0, "seq"), value, budget);
            default -> throw new TemplateException("there is no test '" + test + "' here");
        };
    }

    private static Object number(@Nullable Object value) {
        if (value != null && Values.isNumber(value)) {
            return value;
        }
        throw new TemplateException("a number was expected, not a " + Values.typeName(value));
    }
}
