package dev.sluice.text.jinja;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Operators between two values. */
final class Operators {
    private Operators() {}

    static boolean holds(String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
        return switch (operator) {
            case "==" -> Values.equal(left, right, budget);
            case "!=" -> !Values.equal(left, right, budget);
            case "<" -> Values.compare(left, right, budget) < 0;
            case "<=" -> Values.compare(left, right, budget) <= 0;
            case ">" -> Values.compare(left, right, budget) > 0;
            case ">=" -> Values.compare(left, right, budget) >= 0;
            case "in" -> Values.contains(right, left, budget);
            case "not in" -> !Values.contains(right, left, budget);
            default -> throw new IllegalStateException("the parser knows no comparison " + operator);
        };
    }

    static Object compute(String operator, @Nullable Object left, @Nullable Object right, Budget budget) {
        if (left instanceof Undefined nothing) {
            throw nothing.used();
        }
        if (right instanceof Undefined nothing) {
            throw nothing.used();
        }
        if (left != null && right != null && Values.isNumber(left) && Values.isNumber(right)) {
            return Numbers.compute(operator, left, right);
        }
        if (operator.equals("+")) {
            return sum(left, right, budget);
        }
        if (operator.equals("*") && right instanceof Long times) {
            return repeated(left, times, budget);
        }
        if (operator.equals("*") && left instanceof Long times) {
            return repeated(right, times, budget);
        }
        throw impossible(operator, left, right);
    }

    private static Object sum(@Nullable Object left, @Nullable Object right, Budget budget) {
        if (left instanceof String a && right instanceof String b) {
            budget.charge((long) a.length() + b.length());
            return a + b;
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return joined(a, b, budget);
        }
        if (left instanceof Tuple a && right instanceof Tuple b) {
            return new Tuple(joined(a.items(), b.items(), budget));
        }
        throw impossible("+", left, right);
    }

    private static List<@Nullable Object> joined(List<?> left, List<?> right, Budget budget) {
        budget.items((long) left.size() + right.size());
        List<@Nullable Object> joined = new ArrayList<>(left);
        joined.addAll(right);
        return joined;
    }

    private static Object repeated(@Nullable Object value, long times, Budget budget) {
        long count = Math.clamp(times, 0, Integer.MAX_VALUE);
        if (value instanceof String text) {
            budget.charge(text.length() * count);
            return text.repeat(text.isEmpty() ? 0 : (int) count);
        }
        if (value instanceof List<?> list) {
            budget.items(list.size() * count);
            List<@Nullable Object> repeated = new ArrayList<>();
            for (long i = 0; i < count && !list.isEmpty(); i++) {
                repeated.addAll(list);
            }
            return repeated;
        }
        throw impossible("*", value, times);
    }

    private static TemplateException impossible(String operator, @Nullable Object left, @Nullable Object right) {
        return new TemplateException("there is no " + Values.typeName(left) + " " + operator + " "
                + Values.typeName(right) + "; an absent value may be the reason");
    }
}
