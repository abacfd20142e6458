package dev.sluice.text.jinja;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Values as Python sees them: null, Boolean, Long, BigInteger, Double, String, List, {@link Tuple}, Map, {@link Namespace},
 * {@link Function} and {@link Undefined}.
 */
final class Values {
    private static final int MAXIMUM_NESTING = 200;

    private Values() {}

    static String typeName(@Nullable Object value) {
        return switch (value) {
            case null -> "None";
            case Boolean flag -> "bool";
            case Double number -> "float";
            case Number number -> "int";
            case String text -> "str";
            case List<?> list -> "list";
            case Tuple tuple -> "tuple";
            case Map<?, ?> map -> "dict";
            case Undefined nothing -> "undefined";
            case Namespace namespace -> "namespace";
            default -> "function";
        };
    }

    static boolean truth(@Nullable Object value) {
        return switch (value) {
            case null -> false;
            case Undefined nothing -> false;
            case Boolean flag -> flag;
            case Double number -> number != 0;
            case Long number -> number != 0;
            case BigInteger number -> number.signum() != 0;
            case String text -> !text.isEmpty();
            case List<?> list -> !list.isEmpty();
            case Tuple tuple -> !tuple.items().isEmpty();
            case Map<?, ?> map -> !map.isEmpty();
            default -> true;
        };
    }

    /** What a loop runs over: a text's characters, a dictionary's keys. */
    static List<@Nullable Object> items(@Nullable Object value, Budget budget) {
        return switch (value) {
            case List<?> list -> Collections.unmodifiableList(list);
            case Tuple tuple -> tuple.items();
            case Map<?, ?> map -> {
                budget.items(map.size());
                yield new ArrayList<>(map.keySet());
            }
            case String text -> {
                budget.items(text.length());
                yield new ArrayList<>(
                        text.codePoints().mapToObj(Character::toString).toList());
            }
            case Undefined nothing -> List.of();
            case null, default -> throw new TemplateException("a " + typeName(value) + " has no items to run over");
        };
    }

    static long length(@Nullable Object value) {
        return switch (value) {
            case String text -> text.codePointCount(0, text.length());
            case List<?> list -> list.size();
            case Tuple tuple -> tuple.items().size();
            case Map<?, ?> map -> map.size();
            case Undefined nothing -> 0;
            case null, default -> throw new TemplateException("a " + typeName(value) + " has no length");
        };
    }

    static boolean equal(@Nullable Object left, @Nullable Object right, Budget budget) {
        return equal(left, right, budget, 0);
    }

    private static boolean equal(@Nullable Object left, @Nullable Object right, Budget budget, int nesting) {
        if (nesting > MAXIMUM_NESTING) {
            throw new TemplateException("a value nests deeper than " + MAXIMUM_NESTING + " levels");
        }
        budget.step();
        if (left instanceof String a && right instanceof String b) {
            budget.charge(Math.min(a.length(), b.length()));
            return a.equals(b);
        }
        if (isNumber(left) && isNumber(right)) {
            return compareNumbers(left, right) == 0;
        }
        if (left instanceof List<?> a && right instanceof List<?> b) {
            return equalItems(a, b, budget, nesting);
        }
        if (left instanceof Tuple a && right instanceof Tuple b) {
            return equalItems(a.items(), b.items(), budget, nesting);
        }
        if (left instanceof Map<?, ?> a && right instanceof Map<?, ?> b) {
            return a.size() == b.size()
                    && a.entrySet().stream()
                            .allMatch(entry -> b.containsKey(entry.getKey())
                                    && equal(entry.getValue(), b.get(entry.getKey()), budget, nesting + 1));
        }
        return left == right || (left instanceof Undefined && right instanceof Undefined);
    }

    private static boolean equalItems(List<?> left, List<?> right, Budget budget, int nesting) {
        if (left.size() != right.size()) {
            return false;
        }
        Iterator<?> others = right.iterator();
        for (Object item : left) {
            if (!equal(item, others.next(), budget, nesting + 1)) {
                return false;
            }
        }
        return true;
    }

    static boolean isNumber(@Nullable Object value) {
        return value instanceof Number || value instanceof Boolean;
    }

    /** Negative, zero or positive; numbers with numbers and texts with texts only. */
    static int compare(@Nullable Object left, @Nullable Object right, Budget budget) {
        if (isNumber(left) && isNumber(right)) {
            return compareNumbers(left, right);
        }
        if (left instanceof String a && right instanceof String b) {
            budget.charge(Math.min(a.length(), b.length()));
            return compareTexts(a, b);
        }
        if (left instanceof Undefined nothing) {
            throw nothing.used();
        }
        if (right instanceof Undefined nothing) {
            throw nothing.used();
        }
        throw new TemplateException(
                "a " + typeName(left) + " and a " + typeName(right) + " have no order between them");
    }

    /** By code point, as Python does; Java's own order puts characters above U+FFFF before U+E000. */
    static int compareTexts(String left, String right) {
        int at = 0;
        while (at < left.length() && at < right.length() && left.charAt(at) == right.charAt(at)) {
            at++;
        }
        if (at == left.length() || at == right.length()) {
            return Integer.compare(left.length(), right.length());
        }
        return Integer.compare(left.codePointAt(at), right.codePointAt(at));
    }

    private static int compareNumbers(@Nullable Object left, @Nullable Object right) {
        if (left instanceof Double || right instanceof Double) {
            double a = Numbers.toDouble(left);
            double b = Numbers.toDouble(right);
            if (Double.isFinite(a) && Double.isFinite(b)) {
                return new BigDecimal(exact(left)).compareTo(new BigDecimal(exact(right)));
            }
            return a == b ? 0 : Double.compare(a, b);
        }
        return Numbers.toInteger(left).compareTo(Numbers.toInteger(right));
    }

    private static String exact(@Nullable Object number) {
        return number instanceof Double value
                ? new BigDecimal(value).toString()
                : Numbers.toInteger(number).toString();
    }

    /** A dictionary's key: only a plain value, since hashing a nested one could take for ever. */
    static @Nullable Object key(@Nullable Object value) {
        if (value == null || value instanceof String || value instanceof Undefined || isNumber(value)) {
            return value;
        }
        throw new TemplateException("a " + typeName(value) + " cannot be a key of a dict");
    }

    static boolean contains(@Nullable Object container, @Nullable Object member, Budget budget) {
        return switch (container) {
            case String text
            when member instanceof String part -> {
                budget.charge(text.length());
                yield text.contains(part);
            }
            case String text -> throw new TemplateException("a str has no " + typeName(member) + " in it");
            case Map<?, ?> map -> map.containsKey(key(member));
            case null, default -> items(container, budget).stream().anyMatch(item -> equal(item, member, budget));
        };
    }
}
