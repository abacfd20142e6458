package dev.sluice.domain.reward.math;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.function.Function;

/** Fractions of whole numbers of at most {@value #MAX_BITS} bits; irrational values are undecided. */
final class ExactField implements Field<ExactField.Fraction> {
    static final int MAX_BITS = 8192;
    private static final int MAX_EXPONENT = 4096;
    private static final int MAX_FACTORIAL = 500;

    private final Function<String, Integer> unknowns;
    private boolean hasUnknowns;

    ExactField(Function<String, Integer> unknowns) {
        this.unknowns = unknowns;
    }

    /** A reduced fraction whose denominator is positive. */
    record Fraction(BigInteger over, BigInteger under) {
        static Fraction of(BigInteger over, BigInteger under) {
            if (under.signum() == 0) {
                throw new UndecidedException("divided by zero");
            }
            BigInteger common = over.gcd(under).multiply(BigInteger.valueOf(under.signum()));
            BigInteger top = over.divide(common);
            BigInteger bottom = under.divide(common);
            if (top.bitLength() > MAX_BITS || bottom.bitLength() > MAX_BITS) {
                throw new UndecidedException("larger than %d bits".formatted(MAX_BITS));
            }
            return new Fraction(top, bottom);
        }

        static Fraction of(long whole) {
            return new Fraction(BigInteger.valueOf(whole), BigInteger.ONE);
        }

        boolean isWhole() {
            return under.equals(BigInteger.ONE);
        }
    }

    @Override
    public Fraction number(String digits) {
        BigDecimal value = decimal(digits);
        return value.scale() >= 0
                ? Fraction.of(value.unscaledValue(), BigInteger.TEN.pow(value.scale()))
                : Fraction.of(value.toBigIntegerExact(), BigInteger.ONE);
    }

    /** The number as written; an exponent that would fill the memory is refused. */
    static BigDecimal decimal(String digits) {
        try {
            BigDecimal value = new BigDecimal(digits);
            if (Math.abs((long) value.scale()) > MAX_EXPONENT) {
                throw new UndecidedException(digits + " is too large or too fine");
            }
            return value;
        } catch (NumberFormatException e) {
            throw new UndecidedException(digits + " is no number");
        }
    }

    @Override
    public Fraction named(String name) {
        if (name.equals(Identity.PI)) {
            throw new UndecidedException("pi is irrational");
        }
        hasUnknowns = true;
        return Fraction.of(unknowns.apply(name));
    }

    @Override
    public Fraction negative(Fraction of) {
        return new Fraction(of.over().negate(), of.under());
    }

    @Override
    public Fraction sum(Fraction left, Fraction right) {
        return Fraction.of(
                left.over().multiply(right.under()).add(right.over().multiply(left.under())),
                left.under().multiply(right.under()));
    }

    @Override
    public Fraction product(Fraction left, Fraction right) {
        return Fraction.of(left.over().multiply(right.over()), left.under().multiply(right.under()));
    }

    @Override
    public Fraction quotient(Fraction left, Fraction right) {
        return Fraction.of(left.over().multiply(right.under()), left.under().multiply(right.over()));
    }

    @Override
    public Fraction power(Fraction base, Fraction exponent) {
        if (!exponent.isWhole()) {
            throw new UndecidedException("a root is irrational");
        }
        BigInteger size = exponent.over().abs();
        long bits = Math.max(base.over().bitLength(), base.under().bitLength());
        if (size.bitLength() > 31 || size.intValue() > MAX_EXPONENT || bits * size.intValue() > 2L * MAX_BITS) {
            throw new UndecidedException("a power larger than %d bits".formatted(MAX_BITS));
        }
        int times = size.intValue();
        BigInteger over = base.over().pow(times);
        BigInteger under = base.under().pow(times);
        return exponent.over().signum() < 0 ? Fraction.of(under, over) : Fraction.of(over, under);
    }

    @Override
    public Fraction root(Fraction of) {
        if (hasUnknowns) {
            throw new UndecidedException("a root of a square is not its base where that can be negative");
        }
        if (of.over().signum() < 0) {
            throw new UndecidedException("a root of a negative number is complex");
        }
        BigInteger[] over = of.over().sqrtAndRemainder();
        BigInteger[] under = of.under().sqrtAndRemainder();
        if (over[1].signum() != 0 || under[1].signum() != 0) {
            throw new UndecidedException("a root is irrational");
        }
        return new Fraction(over[0], under[0]);
    }

    @Override
    public Fraction logarithm(Fraction of) {
        throw new UndecidedException("a logarithm is irrational");
    }

    @Override
    public Fraction factorial(Fraction of) {
        if (!of.isWhole() || of.over().signum() < 0 || of.over().compareTo(BigInteger.valueOf(MAX_FACTORIAL)) > 0) {
            throw new UndecidedException("a factorial of more than %d or of no whole number".formatted(MAX_FACTORIAL));
        }
        BigInteger product = BigInteger.ONE;
        for (int i = 2; i <= of.over().intValue(); i++) {
            product = product.multiply(BigInteger.valueOf(i));
        }
        return Fraction.of(product, BigInteger.ONE);
    }

    @Override
    public boolean same(Fraction left, Fraction right) {
        return left.equals(right);
    }
}
