package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Flags;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects flags in the order in which they are written; each at most once. */
final class FlagWriter {
    /** Below it numbers are written with an exponent, as people write learning rates. */
    private static final double SMALL = 1e-3;

    private static final double LARGE = 1e15;

    private final Map<String, List<String>> values = new LinkedHashMap<>();

    /** A flag without a value. */
    FlagWriter flag(String name) {
        return put(name, List.of());
    }

    /** A flag without a value, where it applies. */
    FlagWriter flag(String name, boolean applies) {
        return applies ? flag(name) : this;
    }

    FlagWriter value(String name, Object... value) {
        return put(name, Arrays.stream(value).map(FlagWriter::text).toList());
    }

    /** A flag with its number, where the number is above 0: 0 is how candidates say that it was not given. */
    FlagWriter positive(String name, long value) {
        return value > 0 ? value(name, value) : this;
    }

    private FlagWriter put(String name, List<String> value) {
        if (values.put(name, value) != null) {
            throw new IllegalStateException("the flag " + name + " was written twice");
        }
        return this;
    }

    Flags flags() {
        return new Flags(values);
    }

    private static String text(Object value) {
        return value instanceof Double number ? number(number) : value.toString();
    }

    /** Shortest form that a person would write: {@code 1e-6}, {@code 0.98}, {@code 10000}. */
    static String number(double value) {
        if (value == Math.rint(value) && Math.abs(value) < LARGE) {
            return Long.toString((long) value);
        }
        BigDecimal shortest = new BigDecimal(Double.toString(value)).stripTrailingZeros();
        if (Math.abs(value) >= SMALL) {
            return shortest.toPlainString();
        }
        int exponent = shortest.precision() - shortest.scale() - 1;
        return shortest.scaleByPowerOfTen(-exponent).stripTrailingZeros().toPlainString() + "e" + exponent;
    }
}
