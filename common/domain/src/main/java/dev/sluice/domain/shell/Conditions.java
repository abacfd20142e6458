package dev.sluice.domain.shell;

import java.util.List;
import java.util.Optional;

/** Decides conditions that follow from the text alone. A variable that is set nowhere counts as empty, as in bash. */
final class Conditions {
    /** Longer tests, and texts with more gaps, are not decided. */
    private static final int MOST_OPERANDS = 32;

    private final Expansion expansion;
    private final Variables variables;

    Conditions(Expansion expansion, Variables variables) {
        this.expansion = expansion;
        this.variables = variables;
    }

    /** Whether the sum is not 0; empty where only running the script would tell. */
    Optional<Boolean> holds(Statement.Sum sum) {
        return number(expansion.sum(sum.expression())).map(value -> value != 0);
    }

    /** Whether what stands in double brackets holds. */
    Optional<Boolean> holds(Statement.Test test) {
        return test.words().size() > MOST_OPERANDS ? Optional.empty() : either(operands(test.words()));
    }

    /** Whether the command succeeds: a test, or one that always or never does. */
    Optional<Boolean> holds(Statement.Simple simple) {
        List<Word> words = simple.words();
        return switch (words.isEmpty() ? ":" : words.getFirst().bare()) {
            case "true", ":", "export", "declare", "local", "readonly", "typeset", "unset" -> Optional.of(true);
            case "false" -> Optional.of(false);
            case "test" -> test(operands(words.subList(1, words.size())));
            case "[" -> words.size() < 2 ? Optional.empty() : test(operands(words.subList(1, words.size() - 1)));
            default -> Optional.empty();
        };
    }

    /** Whether a {@code case} pattern fits; empty where either is not known. */
    Optional<Boolean> fits(Word subject, Statement.Pattern pattern) {
        Optional<String> text = known(operand(subject));
        if (text.isEmpty()) {
            return Optional.empty();
        }
        boolean unknown = false;
        for (Word choice : pattern.choices()) {
            Optional<String> shape = known(operand(choice));
            if (shape.isPresent() && shape.get().length() <= 64 && Glob.matches(text.get(), shape.get())) {
                return Optional.of(true);
            }
            unknown |= shape.isEmpty() || shape.get().indexOf('[') >= 0;
        }
        return unknown ? Optional.empty() : Optional.of(false);
    }

    private Optional<Boolean> either(List<Value> operands) {
        for (int i = 0; i < operands.size(); i++) {
            if (operands.get(i).text().equals("||")) {
                return joined(both(operands.subList(0, i)), either(operands.subList(i + 1, operands.size())), true);
            }
        }
        return both(operands);
    }

    private Optional<Boolean> both(List<Value> operands) {
        for (int i = 0; i < operands.size(); i++) {
            if (operands.get(i).text().equals("&&")) {
                return joined(test(operands.subList(0, i)), both(operands.subList(i + 1, operands.size())), false);
            }
        }
        return test(operands);
    }

    /** One truth that decides is enough; otherwise both must be known. */
    private static Optional<Boolean> joined(Optional<Boolean> left, Optional<Boolean> right, boolean deciding) {
        if (left.equals(Optional.of(deciding)) || right.equals(Optional.of(deciding))) {
            return Optional.of(deciding);
        }
        return left.isPresent() && right.isPresent() ? Optional.of(!deciding) : Optional.empty();
    }

    private List<Value> operands(List<Word> words) {
        return words.stream().map(this::operand).toList();
    }

    /** The word's text, in which variables that are not set are empty. */
    private Value operand(Word word) {
        Value value = expansion.value(word);
        boolean onlyUnset = value.gaps().size() <= MOST_OPERANDS
                && value.gaps().stream()
                        .allMatch(gap -> gap.variable() != null
                                && variables.value(gap.variable()).isEmpty());
        if (value.known() || !onlyUnset) {
            return value;
        }
        String text = value.text();
        for (Gap gap : value.gaps()) {
            text = text.replace(gap.shown(), "");
        }
        return Value.of(text);
    }

    private Optional<Boolean> test(List<Value> operands) {
        if (operands.isEmpty() || operands.size() > 4) {
            return Optional.empty();
        }
        String first = operands.getFirst().text();
        if (first.equals("!") && operands.size() > 1) {
            return test(operands.subList(1, operands.size())).map(truth -> !truth);
        }
        return switch (operands.size()) {
            case 1 -> known(operands.getFirst()).map(text -> !text.isEmpty());
            case 2 ->
                switch (first) {
                    case "-z" -> known(operands.get(1)).map(String::isEmpty);
                    case "-n" -> known(operands.get(1)).map(text -> !text.isEmpty());
                    case "-v" ->
                        known(operands.get(1))
                                .map(name -> variables.value(name).isPresent() || variables.isArray(name));
                    default -> Optional.empty();
                };
            case 3 -> compared(operands.getFirst(), operands.get(1).text(), operands.get(2));
            default -> Optional.empty();
        };
    }

    private static Optional<Boolean> compared(Value left, String operator, Value right) {
        Optional<String> one = known(left);
        Optional<String> other = known(right);
        if (one.isEmpty() || other.isEmpty()) {
            return Optional.empty();
        }
        boolean wild = other.get().matches("(?s).*[*?\\[].*");
        return switch (operator) {
            case "=", "==" -> wild ? Optional.empty() : Optional.of(one.get().equals(other.get()));
            case "!=" -> wild ? Optional.empty() : Optional.of(!one.get().equals(other.get()));
            case "-eq", "-ne", "-gt", "-ge", "-lt", "-le" -> {
                Optional<Long> a = number(left);
                Optional<Long> b = number(right);
                yield a.isEmpty() || b.isEmpty() ? Optional.empty() : Optional.of(ordered(operator, a.get(), b.get()));
            }
            default -> Optional.empty();
        };
    }

    private static boolean ordered(String operator, long left, long right) {
        return switch (operator) {
            case "-eq" -> left == right;
            case "-ne" -> left != right;
            case "-gt" -> left > right;
            case "-ge" -> left >= right;
            case "-lt" -> left < right;
            default -> left <= right;
        };
    }

    private static Optional<String> known(Value value) {
        return value.known() ? Optional.of(value.text()) : Optional.empty();
    }

    private static Optional<Long> number(Value value) {
        return value.known() && value.text().strip().matches("-?\\d{1,18}")
                ? Optional.of(Long.parseLong(value.text().strip()))
                : Optional.empty();
    }
}
