package dev.sluice.domain.reward.math;

import ch.obermuhlner.math.big.BigComplex;
import ch.obermuhlner.math.big.BigComplexMath;
import ch.obermuhlner.math.big.BigDecimalMath;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.function.Function;

/** Complex numbers of a hundred digits, principal values; at most {@value #MAX_TRANSCENDENTALS} roots, logarithms and powers. */
final class ComplexField implements Field<BigComplex> {
    private static final MathContext PRECISION = new MathContext(100);
    /** Relative; a hundred operations lose far fewer than twenty digits. */
    private static final BigDecimal TOLERANCE = new BigDecimal("1e-80");

    /** Below this both are zero. */
    private static final BigDecimal NOTHING = new BigDecimal("1e-90");

    private static final int MAX_TRANSCENDENTALS = 40;
    private static final int MAX_EXPONENT = 1000;
    /** A root written out in more digits could not be told from the root. */
    private static final int MAX_DIGITS = 60;

    private final Function<String, BigComplex> unknowns;
    private int transcendentals;

    ComplexField(Function<String, BigComplex> unknowns) {
        this.unknowns = unknowns;
    }

    @Override
    public BigComplex number(String digits) {
        if (digits.length() > MAX_DIGITS) {
            throw new UndecidedException("a number of more than %d digits".formatted(MAX_DIGITS));
        }
        return BigComplex.valueOf(ExactField.decimal(digits));
    }

    @Override
    public BigComplex named(String name) {
        return name.equals(Identity.PI) ? BigComplex.valueOf(BigDecimalMath.pi(PRECISION)) : unknowns.apply(name);
    }

    @Override
    public BigComplex negative(BigComplex of) {
        return of.negate();
    }

    @Override
    public BigComplex sum(BigComplex left, BigComplex right) {
        return left.add(right, PRECISION);
    }

    @Override
    public BigComplex product(BigComplex left, BigComplex right) {
        return bounded(left.multiply(right, PRECISION));
    }

    @Override
    public BigComplex quotient(BigComplex left, BigComplex right) {
        if (isNothing(right)) {
            throw new UndecidedException("divided by zero");
        }
        return bounded(left.divide(right, PRECISION));
    }

    @Override
    public BigComplex power(BigComplex base, BigComplex exponent) {
        count();
        if (isNothing(base)) {
            if (exponent.re.signum() <= 0 || exponent.im.signum() != 0) {
                throw new UndecidedException("zero to a power that is not positive");
            }
            return BigComplex.ZERO;
        }
        if (exponent.abs(PRECISION).compareTo(BigDecimal.valueOf(MAX_EXPONENT)) > 0) {
            throw new UndecidedException("an exponent above %d".formatted(MAX_EXPONENT));
        }
        boolean whole =
                exponent.im.signum() == 0 && exponent.re.stripTrailingZeros().scale() <= 0;
        return bounded(
                whole
                        ? BigComplexMath.pow(base, exponent.re.longValueExact(), PRECISION)
                        : BigComplexMath.exp(
                                bounded(exponent.multiply(BigComplexMath.log(base, PRECISION), PRECISION)), PRECISION));
    }

    @Override
    public BigComplex root(BigComplex of) {
        count();
        if (isNothing(of)) {
            return BigComplex.ZERO;
        }
        if (of.im.signum() != 0) {
            return BigComplexMath.sqrt(of, PRECISION);
        }
        // The library divides by zero at negative real numbers.
        BigDecimal size = BigDecimalMath.sqrt(of.re.abs(), PRECISION);
        return of.re.signum() > 0 ? BigComplex.valueOf(size) : BigComplex.valueOf(BigDecimal.ZERO, size);
    }

    @Override
    public BigComplex logarithm(BigComplex of) {
        count();
        if (isNothing(of)) {
            throw new UndecidedException("the logarithm of zero");
        }
        return BigComplexMath.log(of, PRECISION);
    }

    @Override
    public BigComplex factorial(BigComplex of) {
        if (of.im.signum() != 0 || of.re.stripTrailingZeros().scale() > 0) {
            throw new UndecidedException("a factorial of no whole number");
        }
        BigInteger exact = new ExactField(name -> 0)
                .factorial(ExactField.Fraction.of(of.re.longValueExact()))
                .over();
        return BigComplex.valueOf(new BigDecimal(exact, PRECISION));
    }

    @Override
    public boolean same(BigComplex left, BigComplex right) {
        BigDecimal apart = left.subtract(right, PRECISION).abs(PRECISION);
        BigDecimal size = left.abs(PRECISION).max(right.abs(PRECISION));
        return apart.compareTo(NOTHING) <= 0 || apart.compareTo(size.multiply(TOLERANCE)) <= 0;
    }

    private static boolean isNothing(BigComplex value) {
        return value.abs(PRECISION).compareTo(NOTHING) <= 0;
    }

    /** Exponents of ten stay small enough for every later operation. */
    private static BigComplex bounded(BigComplex value) {
        if (tooLarge(value.re) || tooLarge(value.im)) {
            throw new UndecidedException("larger than 1e%d".formatted(MAX_EXPONENT));
        }
        return value;
    }

    private static boolean tooLarge(BigDecimal value) {
        return value.precision() - (long) value.scale() > MAX_EXPONENT;
    }

    private void count() {
        if (++transcendentals > MAX_TRANSCENDENTALS) {
            throw new UndecidedException("more than %d roots and powers".formatted(MAX_TRANSCENDENTALS));
        }
    }
}
