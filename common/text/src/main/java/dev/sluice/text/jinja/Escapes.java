package dev.sluice.text.jinja;

/** Escapes of Python's string literals; an unknown one stays as it is written, as in Python. */
final class Escapes {
    private static final String SINGLE = "\\'\"abfnrtv";
    private static final String MEANING = "\\'\"\u0007\b\f\n\r\t\u000b";

    private Escapes() {}

    static String resolve(String literal, int line) {
        if (literal.indexOf('\\') < 0) {
            return literal;
        }
        StringBuilder text = new StringBuilder();
        int at = 0;
        while (at < literal.length()) {
            char c = literal.charAt(at++);
            if (c != '\\' || at == literal.length()) {
                text.append(c);
                continue;
            }
            char kind = literal.charAt(at++);
            int known = SINGLE.indexOf(kind);
            if (known >= 0) {
                text.append(MEANING.charAt(known));
            } else if (kind == 'x' || kind == 'u' || kind == 'U') {
                int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : 8;
                text.appendCodePoint(hexadecimal(literal, at, digits, line));
                at += digits;
            } else if (kind >= '0' && kind <= '7') {
                int end = at;
                while (end < literal.length()
                        && end < at + 2
                        && literal.charAt(end) >= '0'
                        && literal.charAt(end) <= '7') {
                    end++;
                }
                text.appendCodePoint(Integer.parseInt(literal.substring(at - 1, end), 8));
                at = end;
            } else if (kind != '\n') {
                text.append('\\').append(kind);
            }
        }
        return text.toString();
    }

    private static int hexadecimal(String literal, int at, int digits, int line) {
        try {
            int code = Integer.parseInt(literal.substring(at, at + digits), 16);
            if (Character.isValidCodePoint(code)) {
                return code;
            }
        } catch (NumberFormatException | IndexOutOfBoundsException e) {
            // Said below with the literal, which the exception does not know.
        }
        throw new TemplateException("the string '" + literal + "' has a \\ escape without " + digits
                        + " hexadecimal digits of a character")
                .at(line);
    }
}
