package dev.sluice.text.jinja;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What has a value. */
sealed interface Expression {
    record Constant(@Nullable Object value) implements Expression {}

    record Name(String name) implements Expression {}

    record ListOf(List<Expression> items) implements Expression {}

    record TupleOf(List<Expression> items) implements Expression {}

    record DictionaryOf(List<Pair> pairs) implements Expression {}

    record Pair(Expression key, Expression value) {}

    record Attribute(Expression of, String name) implements Expression {}

    record Item(Expression of, Expression key) implements Expression {}

    /** {@code of[start:stop:step]}. */
    record Section(
            Expression of,
            @Nullable Expression start,
            @Nullable Expression stop,
            @Nullable Expression step) implements Expression {}

    record Call(Expression function, Arguments arguments) implements Expression {}

    /** {@code value | filter(arguments)}; in a filter block the value stands outside. */
    record Filtered(Expression value, String filter, Arguments arguments) implements Expression {}

    /** {@code value is test(arguments)}. */
    record Tested(Expression value, String test, Arguments arguments) implements Expression {}

    record Not(Expression value) implements Expression {}

    record Signed(String sign, Expression value) implements Expression {}

    record Arithmetic(String operator, Expression left, Expression right) implements Expression {}

    /** {@code a ~ b}: texts of both. */
    record Concatenated(List<Expression> parts) implements Expression {}

    /** {@code a < b < c}. */
    record Compared(Expression first, List<Comparison> others) implements Expression {}

    record Comparison(String operator, Expression operand) {}

    record And(Expression left, Expression right) implements Expression {}

    record Or(Expression left, Expression right) implements Expression {}

    /** {@code then if condition else otherwise}. */
    record Choice(
            Expression condition, Expression then, @Nullable Expression otherwise) implements Expression {}

    /** What stands between the brackets of a call. */
    record Arguments(List<Expression> positional, Map<String, Expression> named) {
        static final Arguments NONE = new Arguments(List.of(), Map.of());
    }
}
