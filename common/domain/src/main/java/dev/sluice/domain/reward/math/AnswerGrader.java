package dev.sluice.domain.reward.math;

import java.util.List;

/**
 * Compares a given answer with the true one: equal texts after Hendrycks' normalisation, or equal values after DeepScaleR's.
 *
 * <p>Departs from sympy, which slime asks, in four things. Equality is decided by values at several points, so that true
 * identities that {@code simplify} does not find count as equal. Decimals are exact fractions. A letter before a parenthesis is
 * a factor, not a function. An answer that is longer, deeper or larger than {@link Expression}'s and {@link ExactField}'s
 * bounds is equal to its own text alone.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/math_utils.py">slime's math_utils</a>
 */
public final class AnswerGrader {
    /** The longest answer that is read; longer ones are compared letter by letter. */
    public static final int MAX_LETTERS = 1000;

    private static final String BRACKETS = "()[]";

    private AnswerGrader() {}

    /** Whether the given answer is right. */
    public static boolean equal(String given, String truth) {
        if (given.length() > MAX_LETTERS || truth.length() > MAX_LETTERS) {
            return given.strip().equals(truth.strip());
        }
        return MathdForm.of(given).equals(MathdForm.of(truth)) || sameValue(given, truth);
    }

    private static boolean sameValue(String given, String truth) {
        String right = ValueForm.of(truth);
        String found = ValueForm.of(given);
        if (right.equals(found)) {
            return true;
        }
        if (found.isEmpty()) {
            return false;
        }
        List<String> rightParts = parts(right);
        List<String> foundParts = parts(found);
        if (rightParts.size() != foundParts.size() || rightParts.size() > 1 && !sameBrackets(right, found)) {
            return false;
        }
        for (int i = 0; i < rightParts.size(); i++) {
            if (!samePart(rightParts.get(i), foundParts.get(i))) {
                return false;
            }
        }
        // Without a part there is nothing that could be equal; slime fails on it.
        return !rightParts.isEmpty();
    }

    private static boolean sameBrackets(String one, String other) {
        return one.charAt(0) == other.charAt(0) && one.charAt(one.length() - 1) == other.charAt(other.length() - 1);
    }

    private static boolean samePart(String right, String found) {
        if (ValueForm.isFraction(right) && ValueForm.isFraction(found)) {
            return right.equals(found); // a fraction that is not reduced is wrong
        }
        if (ValueForm.isWhole(right) != ValueForm.isWhole(found)) {
            return false;
        }
        return Identity.holds(right, found);
    }

    /** The elements of a tuple or interval, or the whole. */
    private static List<String> parts(String form) {
        String plain = ValueForm.withoutThousands(form);
        if (plain.isEmpty()) {
            return List.of();
        }
        int last = plain.length() - 1;
        boolean tuple = plain.length() > 2
                && BRACKETS.indexOf(plain.charAt(0)) >= 0
                && BRACKETS.indexOf(plain.charAt(last)) >= 0
                && plain.substring(1, last).chars().noneMatch(letter -> BRACKETS.indexOf(letter) >= 0);
        return tuple ? List.of(plain.substring(1, last).split(",", -1)) : List.of(plain);
    }
}
