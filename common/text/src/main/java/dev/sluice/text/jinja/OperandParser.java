package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Expression.Arguments;
import dev.sluice.text.jinja.Expression.Attribute;
import dev.sluice.text.jinja.Expression.Call;
import dev.sluice.text.jinja.Expression.Constant;
import dev.sluice.text.jinja.Expression.DictionaryOf;
import dev.sluice.text.jinja.Expression.Filtered;
import dev.sluice.text.jinja.Expression.Item;
import dev.sluice.text.jinja.Expression.ListOf;
import dev.sluice.text.jinja.Expression.Name;
import dev.sluice.text.jinja.Expression.Not;
import dev.sluice.text.jinja.Expression.Pair;
import dev.sluice.text.jinja.Expression.Section;
import dev.sluice.text.jinja.Expression.Tested;
import dev.sluice.text.jinja.Expression.TupleOf;
import dev.sluice.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads what operators stand between: constants, names and brackets with their attributes, calls, filters and tests. */
final class OperandParser {
    private static final Set<Kind> TEST_OPERANDS = Set.of(Kind.NAME, Kind.STRING, Kind.INTEGER, Kind.FLOAT);

    private final TokenStream tokens;
    private final ExpressionParser expressions;

    OperandParser(TokenStream tokens, ExpressionParser expressions) {
        this.tokens = tokens;
        this.expressions = expressions;
    }

    Expression primary() {
        Token token = tokens.peek();
        return switch (token.kind()) {
            case NAME -> name(tokens.next().text());
            case STRING -> new Constant(strings());
            case INTEGER -> new Constant(integer(tokens.next()));
            case FLOAT -> new Constant(Double.parseDouble(tokens.next().text()));
            case OPERATOR -> bracket();
            case TEXT, TAG_BEGIN, TAG_END, OUTPUT_BEGIN, OUTPUT_END, END -> throw tokens.unexpected("an expression");
        };
    }

    private static Expression name(String name) {
        return switch (name) {
            case "true", "True" -> new Constant(true);
            case "false", "False" -> new Constant(false);
            case "none", "None" -> new Constant(null);
            default -> new Name(name);
        };
    }

    private String strings() {
        StringBuilder text = new StringBuilder(tokens.next().text());
        while (tokens.sees(Kind.STRING)) {
            text.append(tokens.next().text());
        }
        return text.toString();
    }

    private static long integer(Token token) {
        try {
            return Long.parseLong(token.text());
        } catch (NumberFormatException e) {
            throw new TemplateException("the number " + token.text() + " is above " + Long.MAX_VALUE).at(token.line());
        }
    }

    private Expression bracket() {
        if (tokens.skip("(")) {
            if (tokens.skip(")")) {
                return new TupleOf(List.of());
            }
            Expression inside = expressions.tuple();
            tokens.expect(")");
            return inside;
        }
        if (tokens.skip("[")) {
            List<Expression> items = new ArrayList<>();
            while (!tokens.skip("]")) {
                items.add(expressions.expression());
                commaOr("]");
            }
            return new ListOf(items);
        }
        if (tokens.skip("{")) {
            List<Pair> pairs = new ArrayList<>();
            while (!tokens.skip("}")) {
                Expression key = expressions.expression();
                tokens.expect(":");
                pairs.add(new Pair(key, expressions.expression()));
                commaOr("}");
            }
            return new DictionaryOf(pairs);
        }
        throw tokens.unexpected("an expression");
    }

    private void commaOr(String closing) {
        if (!tokens.sees(closing)) {
            tokens.expect(",");
        }
    }

    /** Attributes, items and calls behind an operand. */
    Expression postfix(Expression operand) {
        Expression value = operand;
        while (true) {
            if (tokens.skip(".")) {
                value = tokens.sees(Kind.INTEGER)
                        ? new Item(value, new Constant(integer(tokens.next())))
                        : new Attribute(
                                value, tokens.expect(Kind.NAME, "a name").text());
            } else if (tokens.skip("[")) {
                value = subscript(value);
            } else if (tokens.sees("(")) {
                value = new Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    private Expression subscript(Expression of) {
        Expression start = tokens.sees(":") ? null : expressions.expression();
        if (start != null && tokens.skip("]")) {
            return new Item(of, start);
        }
        tokens.expect(":");
        Expression stop = bound();
        Expression step = tokens.skip(":") ? bound() : null;
        tokens.expect("]");
        return new Section(of, start, stop, step);
    }

    private @Nullable Expression bound() {
        return tokens.sees(":") || tokens.sees("]") ? null : expressions.expression();
    }

    Arguments arguments() {
        tokens.expect("(");
        List<Expression> positional = new ArrayList<>();
        Map<String, Expression> named = new LinkedHashMap<>();
        while (!tokens.skip(")")) {
            if (tokens.sees(Kind.NAME) && tokens.peekSecond().is(Kind.OPERATOR, "=")) {
                String name = tokens.next().text();
                tokens.expect("=");
                named.put(name, expressions.expression());
            } else if (named.isEmpty()) {
                positional.add(expressions.expression());
            } else {
                throw tokens.unexpected("an argument with a name");
            }
            commaOr(")");
        }
        return new Arguments(positional, named);
    }

    /** Filters, tests and calls in the order in which they follow. */
    Expression filtersAndTests(Expression operand) {
        Expression value = operand;
        while (true) {
            if (tokens.skip("|")) {
                value = filter(value);
            } else if (tokens.skipName("is")) {
                value = test(value);
            } else if (tokens.sees("(")) {
                value = new Call(value, arguments());
            } else {
                return value;
            }
        }
    }

    Filtered filter(Expression value) {
        String name = tokens.expect(Kind.NAME, "the name of a filter").text();
        return new Filtered(value, name, tokens.sees("(") ? arguments() : Arguments.NONE);
    }

    private Expression test(Expression value) {
        boolean negated = tokens.skipName("not");
        String name = tokens.expect(Kind.NAME, "the name of a test").text();
        Arguments arguments = Arguments.NONE;
        if (tokens.sees("(")) {
            arguments = arguments();
        } else if (takesOperand()) {
            arguments = new Arguments(List.of(postfix(primary())), Map.of());
        }
        Expression test = new Tested(value, name, arguments);
        return negated ? new Not(test) : test;
    }

    private boolean takesOperand() {
        boolean ends = tokens.seesName("else") || tokens.seesName("or") || tokens.seesName("and");
        return !ends && (TEST_OPERANDS.contains(tokens.peek().kind()) || tokens.sees("[") || tokens.sees("{"));
    }
}
