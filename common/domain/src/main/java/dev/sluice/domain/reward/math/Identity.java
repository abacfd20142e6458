package dev.sluice.domain.reward.math;

import ch.obermuhlner.math.big.BigComplex;
import java.math.BigDecimal;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.IntFunction;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Whether two expressions are equal for all values of their unknowns: they are compared at several points, exactly where all
 * is rational, else in fifty digits. The points follow from the texts, so that every host judges alike and no answer can be
 * made for them.
 */
final class Identity {
    static final String PI = "pi";

    /** sympy is not asked about more, because prose has many letters. */
    private static final int MAX_LETTERS = 2;

    private static final Pattern TOWER = Pattern.compile("\\^[0-9]+\\^|\\^[0-9][0-9]+");
    private static final int POINTS = 4;
    private static final int LEAST = 100;
    private static final int MOST = 30_000;

    private Identity() {}

    /** False also where it cannot be decided. */
    static boolean holds(String one, String other) {
        if (!allowed("(%s)-(%s)".formatted(one, other))) {
            return false;
        }
        try {
            Expression left = ExpressionReader.read(one);
            Expression right = ExpressionReader.read(other);
            long seed = (long) one.hashCode() * 31 + other.hashCode();
            try {
                return everywhere(left, right, point -> exact(seed + point));
            } catch (UndecidedException irrational) {
                return everywhere(left, right, point -> complex(seed, point));
            }
        } catch (UndecidedException | ArithmeticException undecided) {
            return false;
        }
    }

    /** The bounds under which slime asks sympy. */
    private static boolean allowed(String difference) {
        long letters = difference
                .replace("sqrt", "")
                .replace("frac", "")
                .codePoints()
                .filter(Character::isLetter)
                .boxed()
                .collect(Collectors.toSet())
                .size();
        return letters <= MAX_LETTERS
                && !difference.contains("^{")
                && !difference.contains("^(")
                && !TOWER.matcher(difference).find();
    }

    private static <T> boolean everywhere(Expression left, Expression right, IntFunction<Field<T>> fields) {
        for (int point = 0; point < POINTS; point++) {
            Field<T> field = fields.apply(point);
            if (!field.same(left.in(field), right.in(field))) {
                return false;
            }
        }
        return true;
    }

    private static Field<ExactField.Fraction> exact(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Integer> values = new HashMap<>();
        return new ExactField(name -> values.computeIfAbsent(name, any -> random.nextInt(LEAST, MOST)));
    }

    /** Positive, negative and complex unknowns: roots of squares differ among them. */
    private static Field<BigComplex> complex(long seed, int point) {
        SplittableRandom random = new SplittableRandom(seed + point);
        Map<String, BigComplex> values = new HashMap<>();
        return new ComplexField(name -> values.computeIfAbsent(name, any -> {
            BigDecimal re = BigDecimal.valueOf(random.nextInt(LEAST, MOST), 4);
            BigDecimal im = BigDecimal.valueOf(random.nextInt(LEAST, MOST), 4);
            return switch (point) {
                case 0 -> BigComplex.valueOf(re);
                case 1 -> BigComplex.valueOf(re.negate());
                case 2 -> BigComplex.valueOf(re, im.negate());
                default -> BigComplex.valueOf(re.negate(), im);
            };
        }));
    }
}
