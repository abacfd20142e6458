package dev.sluice.text.jinja;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** Python's arithmetic on numbers of at most 64 bits; larger ones are carried and written, not computed with. */
final class Numbers {
    private Numbers() {}

    static double toDouble(@Nullable Object number) {
        return number instanceof Boolean flag ? (flag ? 1 : 0) : ((Number) number).doubleValue();
    }

    static BigInteger toInteger(@Nullable Object number) {
        return switch (number) {
            case Boolean flag -> flag ? BigInteger.ONE : BigInteger.ZERO;
            case BigInteger large -> large;
            case Long small -> BigInteger.valueOf(small);
            case null, default -> throw new TemplateException("a " + Values.typeName(number) + " is no whole number");
        };
    }

    static Object compute(String operator, Object left, Object right) {
        if (left instanceof Double || right instanceof Double || operator.equals("/")) {
            return decimal(operator, toDouble(left), toDouble(right));
        }
        BigInteger a = toInteger(left);
        BigInteger b = toInteger(right);
        return switch (operator) {
            case "+" -> small(a.add(b));
            case "-" -> small(a.subtract(b));
            case "*" -> small(a.multiply(b));
            case "//" -> small(floorDivide(a, b));
            case "%" -> small(a.subtract(floorDivide(a, b).multiply(b)));
            case "**" -> power(a, b);
            default -> throw new IllegalStateException("the parser knows no operator " + operator);
        };
    }

    private static Object decimal(String operator, double a, double b) {
        if (b == 0 && (operator.startsWith("/") || operator.equals("%"))) {
            throw new TemplateException("a number is divided by zero");
        }
        return switch (operator) {
            case "+" -> a + b;
            case "-" -> a - b;
            case "*" -> a * b;
            case "/" -> a / b;
            case "//" -> Math.floor(a / b);
            case "%" -> a - Math.floor(a / b) * b;
            case "**" -> Math.pow(a, b);
            default -> throw new IllegalStateException("the parser knows no operator " + operator);
        };
    }

    private static BigInteger floorDivide(BigInteger a, BigInteger b) {
        if (b.signum() == 0) {
            throw new TemplateException("a number is divided by zero");
        }
        BigInteger[] parts = a.divideAndRemainder(b);
        boolean below = parts[1].signum() != 0 && parts[1].signum() != b.signum();
        return below ? parts[0].subtract(BigInteger.ONE) : parts[0];
    }

    private static Object power(BigInteger a, BigInteger b) {
        if (b.signum() < 0) {
            return Math.pow(a.doubleValue(), b.doubleValue());
        }
        // Refused before it is computed: 9 ** 999999999 would fill the memory.
        if (b.bitLength() > 7 || (long) a.bitLength() * b.intValue() > 128) {
            throw new TemplateException("a power does not fit into 64 bits");
        }
        return small(a.pow(b.intValue()));
    }

    static Long small(BigInteger number) {
        if (number.bitLength() > 63) {
            throw new TemplateException("a number does not fit into 64 bits");
        }
        return number.longValue();
    }
}
