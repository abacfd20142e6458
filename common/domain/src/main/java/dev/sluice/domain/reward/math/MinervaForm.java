package dev.sluice.domain.reward.math;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * The normal form in which Minerva compares final answers as text.
 *
 * @see <a href="https://arxiv.org/abs/2206.14858">Minerva, appendix D.1</a>
 */
public final class MinervaForm {
    private static final List<Map.Entry<String, String>> REPLACED = List.of(
            Map.entry("an ", ""),
            Map.entry("a ", ""),
            Map.entry(".$", "$"),
            Map.entry("\\$", ""),
            Map.entry("\\ ", ""),
            Map.entry(" ", ""),
            Map.entry("mbox", "text"),
            Map.entry(",\\text{and}", ","),
            Map.entry("\\text{and}", ","),
            Map.entry("\\text{m}", "\\text{}"));

    /** In this order: each is looked for in what the ones before it left. */
    private static final List<String> REMOVED = List.of(
            "square",
            "ways",
            "integers",
            "dollars",
            "mph",
            "inches",
            "hours",
            "km",
            "units",
            "\\ldots",
            "sue",
            "points",
            "feet",
            "minutes",
            "digits",
            "cents",
            "degrees",
            "cm",
            "gm",
            "pounds",
            "meters",
            "meals",
            "edges",
            "students",
            "childrentickets",
            "multiples",
            "\\text{s}",
            "\\text{.}",
            "\\text{\ns}",
            "\\text{}^2",
            "\\text{}^3",
            "\\text{\n}",
            "\\text{}",
            "\\mathrm{th}",
            "^\\circ",
            "^{\\circ}",
            "\\;",
            ",\\!",
            "{,}",
            "\"",
            "\\dots",
            "<|im_end|>",
            "<|endoftext|>");

    private static final Pattern DOLLARS = Pattern.compile("(?d)(.*?)(\\$)(.*?)(\\$)(.*)");
    private static final List<Pattern> WRAPPED = List.of(
            Pattern.compile("(?d)(\\\\text\\{)(.*?)(\\})"),
            Pattern.compile("(?d)(\\\\textbf\\{)(.*?)(\\})"),
            Pattern.compile("(?d)(\\\\overline\\{)(.*?)(\\})"),
            Pattern.compile("(?d)(\\\\boxed\\{)(.*)(\\})"));
    private static final Pattern FRACTION = Pattern.compile("(?d)(frac)([^{])(.)");
    private static final Pattern ROOT = Pattern.compile("(sqrt)([^{])");
    private static final Pattern DIGITS = Pattern.compile("[0-9]+");

    private MinervaForm() {}

    /** The normal form of an answer of any length below a few hundred letters. */
    public static String of(String answer) {
        String form = answer.substring(answer.lastIndexOf('=') + 1);
        for (Map.Entry<String, String> pair : REPLACED) {
            form = form.replace(pair.getKey(), pair.getValue());
        }
        for (String word : REMOVED) {
            form = form.replace(word, "");
        }
        form = DOLLARS.matcher(form).replaceAll("\\$$3\\$");
        for (Pattern wrapped : WRAPPED) {
            form = wrapped.matcher(form).replaceAll("$2");
        }
        form = FRACTION.matcher(form).replaceAll("frac{$2}{$3}");
        form = ROOT.matcher(form).replaceAll("sqrt{$2}").replace("$", "");
        String digits = form.replace(",", "");
        return (DIGITS.matcher(digits).matches() ? digits : form).strip();
    }
}
