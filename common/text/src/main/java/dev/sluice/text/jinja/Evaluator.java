package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Expression.Arguments;
import dev.sluice.text.jinja.Expression.Compared;
import dev.sluice.text.jinja.Expression.Comparison;
import dev.sluice.text.jinja.Expression.Filtered;
import dev.sluice.text.jinja.Expression.Pair;
import dev.sluice.text.jinja.Function.Given;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Computes expressions. */
final class Evaluator {
    private final Budget budget;
    private final Filters filters;
    private final Checks checks;

    Evaluator(Budget budget) {
        this.budget = budget;
        this.filters = new Filters(budget);
        this.checks = new Checks(budget);
    }

    @Nullable
    Object value(Expression expression, Scope scope) {
        budget.enter();
        Object value = switch (expression) {
            case Expression.Constant constant -> constant.value();
            case Expression.Name name -> scope.get(name.name());
            case Expression.ListOf list -> values(list.items(), scope);
            case Expression.TupleOf tuple -> new Tuple(values(tuple.items(), scope));
            case Expression.DictionaryOf dictionary -> dictionary(dictionary.pairs(), scope);
            case Expression.Attribute attribute ->
                Methods.attribute(value(attribute.of(), scope), attribute.name(), budget);
            case Expression.Item item -> Methods.item(value(item.of(), scope), value(item.key(), scope), budget);
            case Expression.Section section ->
                Section.of(
                        value(section.of(), scope),
                        optional(section.start(), scope),
                        optional(section.stop(), scope),
                        optional(section.step(), scope),
                        budget);
            case Expression.Call call -> call(call, scope);
            case Filtered filtered -> filtered(filtered, value(filtered.value(), scope), scope);
            case Expression.Tested test ->
                checks.passes(test.test(), value(test.value(), scope), given(test.arguments(), scope));
            case Expression.Not not -> !Values.truth(value(not.value(), scope));
            case Expression.Signed signed -> signed(signed.sign(), value(signed.value(), scope));
            case Expression.Arithmetic sum ->
                Operators.compute(sum.operator(), value(sum.left(), scope), value(sum.right(), scope), budget);
            case Expression.Concatenated texts -> concatenated(texts.parts(), scope);
            case Compared compared -> compared(compared, scope);
            case Expression.And and -> {
                Object left = value(and.left(), scope);
                yield Values.truth(left) ? value(and.right(), scope) : left;
            }
            case Expression.Or or -> {
                Object left = value(or.left(), scope);
                yield Values.truth(left) ? left : value(or.right(), scope);
            }
            case Expression.Choice choice -> choice(choice, scope);
        };
        budget.leave();
        return value;
    }

    @Nullable
    Object filtered(Filtered filtered, @Nullable Object value, Scope scope) {
        return filters.apply(filtered.filter(), value, given(filtered.arguments(), scope));
    }

    private @Nullable Object optional(@Nullable Expression expression, Scope scope) {
        return expression == null ? null : value(expression, scope);
    }

    private List<@Nullable Object> values(List<Expression> expressions, Scope scope) {
        List<@Nullable Object> values = new ArrayList<>(expressions.size());
        expressions.forEach(expression -> values.add(value(expression, scope)));
        return values;
    }

    private Map<@Nullable Object, @Nullable Object> dictionary(List<Pair> pairs, Scope scope) {
        Map<@Nullable Object, @Nullable Object> dictionary = new LinkedHashMap<>();
        pairs.forEach(pair -> dictionary.put(Values.key(value(pair.key(), scope)), value(pair.value(), scope)));
        return dictionary;
    }

    private Given given(Arguments arguments, Scope scope) {
        Map<String, @Nullable Object> named = new LinkedHashMap<>();
        arguments.named().forEach((name, expression) -> named.put(name, value(expression, scope)));
        return new Given(values(arguments.positional(), scope), named);
    }

    private @Nullable Object call(Expression.Call call, Scope scope) {
        return switch (value(call.function(), scope)) {
            case Function function -> function.call(given(call.arguments(), scope));
            case Undefined nothing -> throw nothing.used();
            case null -> throw new TemplateException("None cannot be called");
            case Object other -> throw new TemplateException("a " + Values.typeName(other) + " cannot be called");
        };
    }

    private @Nullable Object choice(Expression.Choice choice, Scope scope) {
        if (Values.truth(value(choice.condition(), scope))) {
            return value(choice.then(), scope);
        }
        return choice.otherwise() == null
                ? new Undefined("the condition is false and there is no else")
                : value(choice.otherwise(), scope);
    }

    private String concatenated(List<Expression> parts, Scope scope) {
        StringBuilder text = new StringBuilder();
        parts.forEach(part -> text.append(budget.made(PythonText.of(value(part, scope), budget))));
        return text.toString();
    }

    private boolean compared(Compared compared, Scope scope) {
        Object left = value(compared.first(), scope);
        for (Comparison comparison : compared.others()) {
            Object right = value(comparison.operand(), scope);
            if (!Operators.holds(comparison.operator(), left, right, budget)) {
                return false;
            }
            left = right;
        }
        return true;
    }

    private static Object signed(String sign, @Nullable Object value) {
        if (value instanceof Undefined nothing) {
            throw nothing.used();
        }
        if (value == null || !Values.isNumber(value)) {
            throw new TemplateException("a " + Values.typeName(value) + " has no sign");
        }
        return Numbers.compute("*", value, sign.equals("-") ? -1L : 1L);
    }
}
