package dev.sluice.domain.reward.math;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The normal form in which DeepScaleR reads an answer as a value: without units, currency, thousands and braces, LaTeX as
 * plain operators, in lower case.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/math_utils.py">slime's math_utils,
 *     _normalize</a>
 */
final class ValueForm {
    private static final Pattern ALL_TEXT = Pattern.compile("(?d)^\\\\text\\{(?<text>.+?)\\}$");
    private static final List<Pattern> UNITS = List.of(
                    "degree",
                    "cm",
                    "centimeter",
                    "meter",
                    "mile",
                    "second",
                    "minute",
                    "hour",
                    "day",
                    "week",
                    "month",
                    "year",
                    "foot",
                    "feet",
                    "inch",
                    "yard")
            .stream()
            .map(unit -> Pattern.compile(unit + "(es)?(s)? *(\\^[0-9]+)?"))
            .toList();
    private static final Pattern DEGREES = Pattern.compile("\\^ *\\\\circ");
    private static final Pattern THIN_COMMA = Pattern.compile(",\\\\! *");
    private static final Pattern MINUS = Pattern.compile("- *");
    private static final Pattern MIXED = Pattern.compile("([0-9]) +([0-9])");
    private static final Pattern THOUSANDS = Pattern.compile("(\\d)(,)(\\d\\d\\d)($|\\D)");
    private static final Pattern FRACTION = Pattern.compile("(?d)^-?[0-9]+.?/0*[1-9][0-9]*.?$");
    /** What Python's float() reads, without its underscores, infinities and NaNs, which are no whole numbers. */
    private static final Pattern FLOAT = Pattern.compile("[-+]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][-+]?[0-9]{1,9})?");

    private static final double WHOLE_TOLERANCE = 1e-7;

    private ValueForm() {}

    static String of(String answer) {
        Matcher text = ALL_TEXT.matcher(answer);
        String form = text.find() ? text.group("text") : answer;
        form = withoutWords(form);
        if (form.length() > 1 && form.startsWith("{") && form.endsWith("}")) {
            form = form.substring(1, form.length() - 1);
        }
        form = THIN_COMMA.matcher(form).replaceAll("");
        form = whole(form).map(BigInteger::toString).orElse(form);
        if (form.contains("\\")) {
            form = LatexText.of(form);
        }
        form = MINUS.matcher(form).replaceAll("-");
        form = MIXED.matcher(form).replaceAll("$1+$2");
        form = form.replace(" ", "").replace("{", "").replace("}", "").toLowerCase(Locale.ROOT);
        Optional<BigInteger> number = isWhole(form) ? number(form.replace(",", "")) : Optional.empty();
        return number.map(BigInteger::toString).orElse(form);
    }

    private static String withoutWords(String answer) {
        String form = answer.replace("\\%", "%")
                .replace("\\$", "$")
                .replace("$", "")
                .replace("%", "")
                .replace(" or ", " , ")
                .replace(" and ", " , ")
                .replace("million", "*10^6")
                .replace("billion", "*10^9")
                .replace("trillion", "*10^12");
        for (Pattern unit : UNITS) {
            form = unit.matcher(form).replaceAll("");
        }
        return DEGREES.matcher(form).replaceAll("");
    }

    /** 1,234 without its comma; tuples keep theirs. */
    static String withoutThousands(String form) {
        String before = form;
        String after = THOUSANDS.matcher(before).replaceAll("$1$3$4");
        while (!after.equals(before)) {
            before = after;
            after = THOUSANDS.matcher(before).replaceAll("$1$3$4");
        }
        return after;
    }

    static boolean isFraction(String form) {
        return FRACTION.matcher(form).find();
    }

    static boolean isWhole(String form) {
        return whole(withoutThousands(form)).isPresent();
    }

    private static Optional<BigInteger> whole(String form) {
        return decimal(form)
                .filter(value -> {
                    double number = value.doubleValue();
                    return Math.abs(number - Math.rint(number)) <= WHOLE_TOLERANCE;
                })
                .map(value -> value.setScale(0, RoundingMode.HALF_EVEN).toBigInteger());
    }

    private static Optional<BigInteger> number(String form) {
        return decimal(form).map(BigDecimal::toBigInteger);
    }

    /** As a double holds it, as in Python; empty for what is no number or does not fit. */
    private static Optional<BigDecimal> decimal(String form) {
        String stripped = form.strip();
        if (!FLOAT.matcher(stripped).matches()) {
            return Optional.empty();
        }
        double value = Double.parseDouble(stripped);
        return Double.isFinite(value) ? Optional.of(new BigDecimal(value)) : Optional.empty();
    }
}
