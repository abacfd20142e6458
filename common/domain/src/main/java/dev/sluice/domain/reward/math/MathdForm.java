package dev.sluice.domain.reward.math;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The normal form in which Hendrycks' MATH data set compares LaTeX answers as text.
 *
 * @see <a href="https://github.com/hendrycks/math/blob/main/modeling/math_equivalence.py">math_equivalence.py</a>
 */
final class MathdForm {
    private static final Pattern ALL_TEXT = Pattern.compile("(?d)^\\\\text\\{(?<text>.+?)\\}$");
    private static final Pattern WHOLE = Pattern.compile("0|-?[1-9][0-9]*");

    private MathdForm() {}

    static String of(String answer) {
        String stripped = answer.strip();
        Matcher text = ALL_TEXT.matcher(stripped);
        String bare = text.find() ? text.group("text").strip() : stripped;
        // What breaks off half-way in the original stays as it came.
        return normalised(bare).orElse(bare);
    }

    private static Optional<String> normalised(String answer) {
        String form = answer.replace("\n", "")
                .replace("\\!", "")
                .replace("\\\\", "\\")
                .replace("tfrac", "frac")
                .replace("dfrac", "frac")
                .replace("\\left", "")
                .replace("\\right", "")
                .replace("^{\\circ}", "")
                .replace("^\\circ", "")
                .replace("\\$", "");
        String[] units = form.split(Pattern.quote("\\text{ "), -1);
        if (units.length > 2) {
            return Optional.empty();
        }
        form = units[0].replace("\\%", "").replace(" .", " 0.").replace("{.", "{0.");
        if (form.isEmpty()) {
            return Optional.of(form);
        }
        return withBracedRoots(withoutName(form.startsWith(".") ? "0" + form : form))
                .map(rooted -> rooted.replace(" ", ""))
                .flatMap(MathdForm::withBracedFractions)
                .map(form2 -> form2.equals("0.5") ? "\\frac{1}{2}" : form2)
                .map(MathdForm::withSlashAsFraction);
    }

    /** {@code k = 5} is 5. */
    private static String withoutName(String form) {
        String[] sides = form.split("=", -1);
        return sides.length == 2 && sides[0].length() <= 2 ? sides[1] : form;
    }

    /** {@code \sqrt3} is {@code \sqrt{3}}; nothing where a root stands at the end. */
    private static Optional<String> withBracedRoots(String form) {
        String[] pieces = form.split("\\\\sqrt", -1);
        StringBuilder built = new StringBuilder(pieces[0]);
        for (int i = 1; i < pieces.length; i++) {
            String piece = pieces[i];
            if (piece.isEmpty()) {
                return Optional.empty();
            }
            built.append("\\sqrt");
            if (piece.startsWith("{")) {
                built.append(piece);
            } else {
                built.append('{').append(piece.charAt(0)).append('}').append(piece, 1, piece.length());
            }
        }
        return Optional.of(built.toString());
    }

    /** {@code \frac12} is {@code \frac{1}{2}}; nothing where a fraction stands at the end. */
    private static Optional<String> withBracedFractions(String form) {
        String[] pieces = form.split("\\\\frac", -1);
        StringBuilder built = new StringBuilder(pieces[0]);
        for (int i = 1; i < pieces.length; i++) {
            String piece = pieces[i];
            if (piece.isEmpty()) {
                return Optional.empty();
            }
            built.append("\\frac");
            if (piece.startsWith("{")) {
                built.append(piece);
                continue;
            }
            if (piece.length() < 2) {
                return Optional.of(form);
            }
            built.append('{').append(piece.charAt(0)).append('}');
            char second = piece.charAt(1);
            built.append(second == '{' ? "{" : "{" + second + "}").append(piece, 2, piece.length());
        }
        return Optional.of(built.toString());
    }

    private static String withSlashAsFraction(String form) {
        String[] sides = form.split("/", -1);
        boolean fraction = sides.length == 2
                && WHOLE.matcher(sides[0]).matches()
                && WHOLE.matcher(sides[1]).matches();
        return fraction ? "\\frac{%s}{%s}".formatted(sides[0], sides[1]) : form;
    }
}
