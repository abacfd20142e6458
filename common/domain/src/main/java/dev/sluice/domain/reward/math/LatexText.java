package dev.sluice.domain.reward.math;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * LaTeX as plain text, as far as answers need it: {@code \frac{a}{b}} is {@code a/b}, {@code \sqrt{a}} is {@code sqrt(a)},
 * symbols are themselves, unknown commands vanish. Follows pylatexenc, which slime uses; accents and alphabets are dropped.
 */
final class LatexText {
    private static final int MAX_DEPTH = 40;
    private static final String RESOURCE = "latex-symbols.tsv";
    private static final Map<String, String> SYMBOLS = symbols();
    private static final Set<String> MATRICES =
            Set.of("matrix", "pmatrix", "bmatrix", "vmatrix", "smallmatrix", "array");
    private static final Map<String, String> BLACKBOARD = Map.of("R", "ℝ", "Z", "ℤ", "Q", "ℚ", "N", "ℕ", "C", "ℂ");
    private static final String COLUMN = "     ";

    private final String latex;
    private int position;
    private int depth;

    private LatexText(String latex) {
        this.latex = latex;
    }

    /** The text; where groups are nested too deep the LaTeX as it came. */
    static String of(String latex) {
        try {
            return read(latex);
        } catch (UndecidedException tooDeep) {
            return latex;
        }
    }

    private static String read(String latex) {
        // A blank before a fraction lets mixed numbers be seen.
        LatexText reader = new LatexText(
                latex.replace("\\tfrac", "\\frac").replace("\\dfrac", "\\frac").replace("\\frac", " \\frac"));
        StringBuilder text = new StringBuilder();
        while (reader.position < reader.latex.length()) {
            reader.next().ifPresent(text::append);
        }
        return text.toString()
                .replace("√", "sqrt")
                .replace("π", "pi")
                .replace("∞", "inf")
                .replace("∪", "U")
                .replace("·", "*")
                .replace("×", "*")
                .strip();
    }

    /** What the next letter, command or group says; moves on in any case. */
    private Optional<String> next() {
        char letter = latex.charAt(position++);
        return switch (letter) {
            case '\\' -> Optional.of(command());
            case '{' -> Optional.of(group());
            case '}' -> Optional.empty();
            case '~' -> Optional.of("\u00a0");
            case '&' -> Optional.of(COLUMN);
            default -> Optional.of(String.valueOf(letter));
        };
    }

    private String group() {
        deeper();
        StringBuilder text = new StringBuilder();
        while (position < latex.length() && latex.charAt(position) != '}') {
            next().ifPresent(text::append);
        }
        position++;
        depth--;
        return text.toString();
    }

    private String command() {
        if (position >= latex.length()) {
            return "";
        }
        String name = name();
        return switch (name) {
            case "\\" -> "\n";
            case ",", ";", ":", " ", "\n" -> " ";
            case "{", "}", "$", "%", "#", "&", "_" -> name;
            case "frac" -> argument() + "/" + argument();
            case "sqrt" -> {
                skipOption();
                yield "√(" + argument() + ")";
            }
            case "mathbb" -> BLACKBOARD.getOrDefault(argument(), "");
            case "begin" -> begun(argument());
            case "end" -> {
                argument();
                yield "";
            }
            default -> SYMBOLS.getOrDefault(name, "");
        };
    }

    /** Letters, and the blanks after them; or one other sign. */
    private String name() {
        int start = position;
        while (position < latex.length() && isAsciiLetter(latex.charAt(position))) {
            position++;
        }
        if (position == start) {
            position++;
            return latex.substring(start, position);
        }
        String name = latex.substring(start, position);
        skipBlanks();
        return name;
    }

    /** A group, a command, or one letter. */
    private String argument() {
        skipBlanks();
        if (position >= latex.length() || latex.charAt(position) == '}') {
            return "";
        }
        deeper();
        String text = next().orElse("");
        depth--;
        return text;
    }

    private String begun(String environment) {
        if (!MATRICES.contains(environment)) {
            return "";
        }
        if (environment.equals("array")) {
            argument(); // the columns
        }
        String end = "\\end{" + environment + "}";
        int close = latex.indexOf(end, position);
        String rows = latex.substring(position, close < 0 ? latex.length() : close);
        position = close < 0 ? latex.length() : close + end.length();
        return "[ " + read(rows).replace("\n", "; ") + " ]";
    }

    private void deeper() {
        if (++depth > MAX_DEPTH) {
            throw new UndecidedException("groups nested deeper than " + MAX_DEPTH);
        }
    }

    private void skipOption() {
        skipBlanks();
        if (position < latex.length() && latex.charAt(position) == '[') {
            int close = latex.indexOf(']', position);
            position = close < 0 ? position : close + 1;
        }
    }

    private void skipBlanks() {
        while (position < latex.length() && Character.isWhitespace(latex.charAt(position))) {
            position++;
        }
    }

    private static boolean isAsciiLetter(char letter) {
        return letter >= 'a' && letter <= 'z' || letter >= 'A' && letter <= 'Z';
    }

    private static Map<String, String> symbols() {
        try (var lines = new BufferedReader(
                new InputStreamReader(LatexText.class.getResourceAsStream(RESOURCE), StandardCharsets.UTF_8))) {
            return lines.lines()
                    .filter(line -> !line.startsWith("#"))
                    .map(line -> line.split("\t", -1))
                    .collect(Collectors.toUnmodifiableMap(pair -> pair[0], pair -> pair[1]));
        } catch (IOException e) {
            throw new UncheckedIOException("the packaged " + RESOURCE + " cannot be read", e);
        }
    }
}
