package dev.sluice.domain.shell;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * The shell's arithmetic on whole numbers of 64 bits: {@code + - * / % **}, comparisons, {@code && || !} and parentheses.
 */
final class Sums {
    /** Binding from loosest to tightest. */
    private static final List<List<String>> LEVELS = List.of(
            List.of("||"),
            List.of("&&"),
            List.of("==", "!="),
            List.of("<=", ">=", "<", ">"),
            List.of("+", "-"),
            List.of("*", "/", "%"));

    private static final int MOST_NESTING = 50;

    private final String text;
    private final Function<String, Optional<String>> variables;
    private int at;
    private int depth;

    private Sums(String text, Function<String, Optional<String>> variables) {
        this.text = text;
        this.variables = variables;
    }

    /** Why an expression has no value. */
    static final class NoValue extends RuntimeException {
        private static final long serialVersionUID = 1L;

        NoValue(String message) {
            super(message, null, false, false);
        }
    }

    /**
     * The expression's value.
     *
     * @param variables values by name; a name that is not set counts as 0, as in bash
     * @throws NoValue with the reason
     */
    static long value(String text, Function<String, Optional<String>> variables) {
        Sums sums = new Sums(text, variables);
        if (text.isBlank()) {
            return 0;
        }
        long value = sums.level(0);
        sums.blanks();
        if (sums.at < text.length()) {
            throw new NoValue("\"%s\" is not arithmetic that is read".formatted(text.substring(sums.at)));
        }
        return value;
    }

    private long level(int level) {
        if (level == LEVELS.size()) {
            return power();
        }
        long left = level(level + 1);
        while (true) {
            String operator = operator(LEVELS.get(level));
            if (operator.isEmpty()) {
                return left;
            }
            left = apply(operator, left, level(level + 1));
        }
    }

    private String operator(List<String> choices) {
        blanks();
        for (String choice : choices) {
            // ** is no product, and a shift or an assignment is nothing that is read
            boolean longer = at + choice.length() < text.length()
                    && (choice.equals("*") && text.charAt(at + 1) == '*'
                            || "<>".contains(choice) && isOperator(at + 1));
            if (text.startsWith(choice, at) && !longer) {
                at += choice.length();
                return choice;
            }
        }
        return "";
    }

    private boolean isOperator(int place) {
        return "<>=".indexOf(text.charAt(place)) >= 0;
    }

    private static long apply(String operator, long left, long right) {
        try {
            return switch (operator) {
                case "+" -> Math.addExact(left, right);
                case "-" -> Math.subtractExact(left, right);
                case "*" -> Math.multiplyExact(left, right);
                case "/" -> Math.divideExact(left, right);
                case "%" -> left % right;
                case "||" -> truth(left != 0 || right != 0);
                case "&&" -> truth(left != 0 && right != 0);
                case "==" -> truth(left == right);
                case "!=" -> truth(left != right);
                case "<" -> truth(left < right);
                case ">" -> truth(left > right);
                case "<=" -> truth(left <= right);
                case ">=" -> truth(left >= right);
                default -> throw new IllegalStateException("no arithmetic for " + operator);
            };
        } catch (ArithmeticException e) {
            throw new NoValue("%d %s %d has no value of 64 bits".formatted(left, operator, right));
        }
    }

    private static long truth(boolean holds) {
        return holds ? 1 : 0;
    }

    private long power() {
        long base = unary();
        blanks();
        if (!text.startsWith("**", at)) {
            return base;
        }
        at += 2;
        deeper();
        long exponent = power();
        depth--;
        if (exponent < 0 || exponent > 62) {
            throw new NoValue("the exponent %d is not between 0 and 62".formatted(exponent));
        }
        long result = 1;
        for (long i = 0; i < exponent; i++) {
            result = apply("*", result, base);
        }
        return result;
    }

    private long unary() {
        blanks();
        if (at >= text.length()) {
            throw new NoValue("the expression \"%s\" ends too early".formatted(text.strip()));
        }
        char c = text.charAt(at);
        if (c == '-' || c == '+' || c == '!') {
            at++;
            deeper();
            long value = unary();
            depth--;
            return c == '-' ? apply("-", 0, value) : c == '!' ? truth(value == 0) : value;
        }
        if (c == '(') {
            at++;
            deeper();
            long value = level(0);
            depth--;
            blanks();
            if (!text.startsWith(")", at)) {
                throw new NoValue("a parenthesis of \"%s\" is not closed".formatted(text.strip()));
            }
            at++;
            return value;
        }
        return operand();
    }

    private long operand() {
        int start = at;
        while (at < text.length() && (Character.isLetterOrDigit(text.charAt(at)) || text.charAt(at) == '_')) {
            at++;
        }
        String word = text.substring(start, at);
        if (Word.isName(word)) {
            String value = variables.apply(word).map(String::strip).orElse("0");
            return number(value.isEmpty() ? "0" : value, word + " is \"" + value + "\", which");
        }
        return number(word, "\"" + (word.isEmpty() ? text.substring(start) : word) + "\"");
    }

    private static long number(String digits, String what) {
        try {
            return Long.parseLong(digits);
        } catch (NumberFormatException e) {
            throw new NoValue(what + " is no whole number");
        }
    }

    private void deeper() {
        if (++depth > MOST_NESTING) {
            throw new NoValue("the expression is nested more than %d deep".formatted(MOST_NESTING));
        }
    }

    private void blanks() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }
}
