package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Expression.And;
import dev.sluice.text.jinja.Expression.Arithmetic;
import dev.sluice.text.jinja.Expression.Choice;
import dev.sluice.text.jinja.Expression.Compared;
import dev.sluice.text.jinja.Expression.Comparison;
import dev.sluice.text.jinja.Expression.Concatenated;
import dev.sluice.text.jinja.Expression.Not;
import dev.sluice.text.jinja.Expression.Or;
import dev.sluice.text.jinja.Expression.Signed;
import dev.sluice.text.jinja.Expression.TupleOf;
import dev.sluice.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Reads expressions with Jinja2's own precedence: filters and tests bind tightest, then signs, powers, products, {@code ~},
 * sums, comparisons, {@code not}, {@code and}, {@code or} and the choice.
 *
 * @see <a href="https://github.com/pallets/jinja/blob/3.1.6/src/jinja2/parser.py">parser.py</a>
 */
final class ExpressionParser {
    private static final Set<String> SUMS = Set.of("+", "-");
    private static final Set<String> PRODUCTS = Set.of("*", "/", "//", "%");
    private static final Set<String> POWERS = Set.of("**");
    private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");

    private final TokenStream tokens;
    private final OperandParser operands;

    ExpressionParser(TokenStream tokens) {
        this.tokens = tokens;
        this.operands = new OperandParser(tokens, this);
    }

    OperandParser operands() {
        return operands;
    }

    Expression expression() {
        return tokens.nested(this::choice);
    }

    private Expression choice() {
        Expression value = or();
        while (tokens.skipName("if")) {
            Expression condition = or();
            value = new Choice(condition, value, tokens.skipName("else") ? expression() : null);
        }
        return value;
    }

    /** An expression that leaves a following {@code if} alone: what a {@code for} runs over. */
    Expression withoutChoice() {
        return listed(this::or);
    }

    /** One expression, or a tuple of several without brackets. */
    Expression tuple() {
        return listed(this::expression);
    }

    private Expression listed(Supplier<Expression> part) {
        Expression first = part.get();
        if (!tokens.sees(",")) {
            return first;
        }
        List<Expression> items = new ArrayList<>(List.of(first));
        while (tokens.skip(",") && !tokens.sees(Kind.TAG_END) && !tokens.sees(Kind.OUTPUT_END) && !tokens.sees(")")) {
            items.add(part.get());
        }
        return new TupleOf(items);
    }

    private Expression or() {
        Expression left = and();
        while (tokens.skipName("or")) {
            left = new Or(left, and());
        }
        return left;
    }

    private Expression and() {
        Expression left = not();
        while (tokens.skipName("and")) {
            left = new And(left, not());
        }
        return left;
    }

    private Expression not() {
        return tokens.skipName("not") ? new Not(tokens.nested(this::not)) : comparison();
    }

    private Expression comparison() {
        Expression first = sum();
        List<Comparison> others = new ArrayList<>();
        while (true) {
            if (tokens.sees(Kind.OPERATOR) && COMPARISONS.contains(tokens.peek().text())) {
                others.add(new Comparison(tokens.next().text(), sum()));
            } else if (tokens.skipName("in")) {
                others.add(new Comparison("in", sum()));
            } else if (tokens.seesName("not") && tokens.peekSecond().is(Kind.NAME, "in")) {
                tokens.next();
                tokens.next();
                others.add(new Comparison("not in", sum()));
            } else {
                return others.isEmpty() ? first : new Compared(first, others);
            }
        }
    }

    private Expression sum() {
        return leftToRight(SUMS, this::concatenation);
    }

    private Expression concatenation() {
        Expression first = leftToRight(PRODUCTS, this::power);
        if (!tokens.sees("~")) {
            return first;
        }
        List<Expression> parts = new ArrayList<>(List.of(first));
        while (tokens.skip("~")) {
            parts.add(leftToRight(PRODUCTS, this::power));
        }
        return new Concatenated(parts);
    }

    private Expression power() {
        return leftToRight(POWERS, () -> signed(true));
    }

    private Expression leftToRight(Set<String> operators, Supplier<Expression> operand) {
        Expression left = operand.get();
        while (tokens.sees(Kind.OPERATOR) && operators.contains(tokens.peek().text())) {
            left = new Arithmetic(tokens.next().text(), left, operand.get());
        }
        return left;
    }

    private Expression signed(boolean withFilters) {
        boolean sign = tokens.sees("-") || tokens.sees("+");
        Expression value =
                sign ? new Signed(tokens.next().text(), tokens.nested(() -> signed(false))) : operands.primary();
        Expression whole = operands.postfix(value);
        return withFilters ? operands.filtersAndTests(whole) : whole;
    }
}
