package dev.sluice.text.jinja;

import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Texts as Python writes and trims them. */
final class PythonText {
    private static final int MAXIMUM_NESTING = 200;

    private PythonText() {}

    /** Python's {@code str.isspace} for one character; Java's own lists leave out no-break spaces or the separators. */
    static boolean isSpace(int c) {
        return (c >= 0x09 && c <= 0x0d)
                || (c >= 0x1c && c <= 0x20)
                || c == 0x85
                || (c > 0x7f && Character.isSpaceChar(c));
    }

    /** {@code strip}, {@code lstrip} and {@code rstrip}; null for white space. */
    static String strip(String text, @Nullable String characters, boolean left, boolean right) {
        int start = 0;
        int end = text.length();
        while (left && start < end && strips(text.codePointAt(start), characters)) {
            start += Character.charCount(text.codePointAt(start));
        }
        while (right && end > start && strips(text.codePointBefore(end), characters)) {
            end -= Character.charCount(text.codePointBefore(end));
        }
        return text.substring(start, end);
    }

    private static boolean strips(int c, @Nullable String characters) {
        return characters == null ? isSpace(c) : characters.indexOf(c) >= 0;
    }

    /** {@code str(value)}. */
    static String of(@Nullable Object value, Budget budget) {
        if (value instanceof String text) {
            return text;
        }
        StringBuilder text = new StringBuilder();
        write(value, text, budget, 0);
        return text.toString();
    }

    private static void write(@Nullable Object value, StringBuilder text, Budget budget, int nesting) {
        if (nesting > MAXIMUM_NESTING) {
            throw new TemplateException("a value nests deeper than " + MAXIMUM_NESTING + " levels");
        }
        budget.step();
        switch (value) {
            case null -> text.append("None");
            case Undefined nothing -> text.append(nesting == 0 ? "" : "Undefined");
            case Boolean flag -> text.append(flag ? "True" : "False");
            case Double number -> text.append(number(number));
            case Number number -> text.append(number);
            case String string -> quoted(budget.made(string), text);
            case List<?> list -> items(list, "[", "]", text, budget, nesting);
            case Tuple tuple ->
                items(tuple.items(), "(", tuple.items().size() == 1 ? ",)" : ")", text, budget, nesting);
            case Map<?, ?> map -> entries(map, text, budget, nesting);
            default -> throw new TemplateException("a " + Values.typeName(value) + " has no text");
        }
    }

    private static void items(
            List<?> items, String open, String close, StringBuilder text, Budget budget, int nesting) {
        text.append(open);
        String separator = "";
        for (Object item : items) {
            text.append(separator);
            write(item, text, budget, nesting + 1);
            separator = ", ";
        }
        text.append(close);
    }

    private static void entries(Map<?, ?> map, StringBuilder text, Budget budget, int nesting) {
        text.append('{');
        String separator = "";
        for (Map.Entry<?, ?> entry : map.entrySet()) {
            text.append(separator);
            write(entry.getKey(), text, budget, nesting + 1);
            text.append(": ");
            write(entry.getValue(), text, budget, nesting + 1);
            separator = ", ";
        }
        text.append('}');
    }

    /** {@code repr(float)}: the shortest digits that give the same number back, an exponent below 1e-4 and from 1e16. */
    static String number(double number) {
        if (Double.isNaN(number)) {
            return "nan";
        }
        if (Double.isInfinite(number)) {
            return number > 0 ? "inf" : "-inf";
        }
        if (number == 0) {
            return 1 / number < 0 ? "-0.0" : "0.0";
        }
        BigDecimal decimal = new BigDecimal(Double.toString(number)).stripTrailingZeros();
        String digits = decimal.unscaledValue().abs().toString();
        int exponent = digits.length() - decimal.scale() - 1;
        String sign = number < 0 ? "-" : "";
        if (exponent >= -4 && exponent < 16) {
            String plain = decimal.abs().toPlainString();
            return sign + (plain.contains(".") ? plain : plain + ".0");
        }
        String fraction = digits.length() == 1 ? "" : "." + digits.substring(1);
        String power = Math.abs(exponent) < 10 ? "0" + Math.abs(exponent) : "" + Math.abs(exponent);
        return sign + digits.charAt(0) + fraction + (exponent < 0 ? "e-" : "e+") + power;
    }

    /** {@code repr(str)}. */
    private static void quoted(String string, StringBuilder text) {
        char quote = string.indexOf('\'') >= 0 && string.indexOf('"') < 0 ? '"' : '\'';
        text.append(quote);
        string.codePoints().forEach(c -> {
            switch (c) {
                case '\n' -> text.append("\\n");
                case '\r' -> text.append("\\r");
                case '\t' -> text.append("\\t");
                case '\\' -> text.append("\\\\");
                default -> {
                    if (c == quote) {
                        text.append('\\').append(quote);
                    } else if (printable(c)) {
                        text.appendCodePoint(c);
                    } else if (c <= 0xff) {
                        text.append("\\x%02x".formatted(c));
                    } else {
                        text.append((c <= 0xffff ? "\\u%04x" : "\\U%08x").formatted(c));
                    }
                }
            }
        });
        text.append(quote);
    }

    private static boolean printable(int c) {
        if (c == ' ') {
            return true;
        }
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.PRIVATE_USE,
                    Character.UNASSIGNED,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR,
                    Character.SPACE_SEPARATOR -> false;
            default -> true;
        };
    }
}
