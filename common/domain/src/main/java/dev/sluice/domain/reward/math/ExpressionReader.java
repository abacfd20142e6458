package dev.sluice.domain.reward.math;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads what sympy's parser reads with implicit multiplication, as far as answers of two letters go: {@code 2x(y+1)^2},
 * {@code sqrt(3)/2}, {@code 5!}. {@code xy} is x times y.
 */
final class ExpressionReader {
    private static final Pattern NUMBER = Pattern.compile("([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]+)?");
    private static final Pattern WORD = Pattern.compile("[\\p{L}_][\\p{L}\\p{N}_]*");
    private static final Pattern FACTOR = Pattern.compile("\\p{L}|[0-9]+");
    /** Words of Python or sympy that are no product of their letters. */
    private static final Set<String> RESERVED =
            Set.of("oo", "re", "im", "rf", "ff", "li", "if", "in", "is", "or", "as");

    private final String text;
    private int position;
    private int nodes;
    private int depth;

    private ExpressionReader(String text) {
        this.text = text;
    }

    /** @throws UndecidedException if the text is no expression, or a larger one than is read */
    static Expression read(String text) {
        ExpressionReader reader = new ExpressionReader(text);
        Expression expression = reader.sum();
        if (reader.position < text.length()) {
            throw new UndecidedException("'" + text.charAt(reader.position) + "' is not expected here");
        }
        return expression;
    }

    private Expression sum() {
        Expression left = product();
        while (true) {
            if (take("+")) {
                left = counted(new Expression.Sum(left, product()));
            } else if (take("-")) {
                left = counted(new Expression.Sum(left, counted(new Expression.Negative(product()))));
            } else {
                return left;
            }
        }
    }

    private Expression product() {
        Expression left = signed();
        while (true) {
            if (text.startsWith("**", position)) {
                throw new UndecidedException("a power without a base");
            } else if (take("*")) {
                left = counted(new Expression.Product(left, signed()));
            } else if (take("/")) {
                left = counted(new Expression.Quotient(left, signed()));
            } else if (beginsFactor()) {
                left = counted(new Expression.Product(left, power()));
            } else {
                return left;
            }
        }
    }

    private boolean beginsFactor() {
        if (position >= text.length()) {
            return false;
        }
        char next = text.charAt(position);
        return next == '(' || next == '_' || Character.isLetterOrDigit(next);
    }

    private Expression signed() {
        deeper();
        Expression value;
        if (take("-")) {
            value = counted(new Expression.Negative(signed()));
        } else {
            value = take("+") ? signed() : power();
        }
        depth--;
        return value;
    }

    private Expression power() {
        Expression base = atom();
        while (take("!")) {
            base = counted(new Expression.Factorial(base));
        }
        return take("^") || take("**") ? counted(new Expression.Power(base, signed())) : base;
    }

    private Expression atom() {
        if (text.startsWith("(", position)) {
            return inParentheses();
        }
        Matcher number = NUMBER.matcher(text).region(position, text.length());
        if (number.lookingAt()) {
            position = number.end();
            return counted(new Expression.Number(number.group()));
        }
        Matcher word = WORD.matcher(text).region(position, text.length());
        if (word.lookingAt()) {
            position = word.end();
            return named(word.group());
        }
        throw new UndecidedException("a number or a name is missing at letter " + position);
    }

    private Expression named(String word) {
        boolean called = text.startsWith("(", position);
        if (word.equals("sqrt") && called) {
            return counted(new Expression.Root(inParentheses()));
        }
        if (word.equals("ln") && called) {
            return counted(new Expression.Logarithm(inParentheses()));
        }
        if (RESERVED.contains(word) || word.equals("sqrt")) {
            throw new UndecidedException(word + " is not computed");
        }
        if (word.equals(Identity.PI) || word.contains("_") || word.length() == 1) {
            return counted(new Expression.Name(word));
        }
        return lettersOf(word);
    }

    private Expression lettersOf(String word) {
        Matcher factors = FACTOR.matcher(word);
        Expression product = null;
        while (factors.find()) {
            String factor = factors.group();
            Expression next = counted(
                    Character.isDigit(factor.charAt(0)) ? new Expression.Number(factor) : new Expression.Name(factor));
            product = product == null ? next : counted(new Expression.Product(product, next));
        }
        if (product == null) {
            throw new UndecidedException(word + " has no letters");
        }
        return product;
    }

    private Expression inParentheses() {
        deeper();
        position++;
        Expression inner = sum();
        if (!take(")")) {
            throw new UndecidedException("a parenthesis is not closed");
        }
        depth--;
        return inner;
    }

    private boolean take(String sign) {
        if (sign.equals("*") && text.startsWith("**", position) || !text.startsWith(sign, position)) {
            return false;
        }
        position += sign.length();
        return true;
    }

    private void deeper() {
        if (++depth > Expression.MAX_DEPTH) {
            throw new UndecidedException("nested deeper than %d levels".formatted(Expression.MAX_DEPTH));
        }
    }

    private Expression counted(Expression node) {
        if (++nodes > Expression.MAX_NODES) {
            throw new UndecidedException("more than %d parts".formatted(Expression.MAX_NODES));
        }
        return node;
    }
}
