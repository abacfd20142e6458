package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.regex.Pattern;

/** Names, strings, numbers and operators inside one tag. */
final class TagLexer {
    private static final List<String> LONG_OPERATORS = List.of("//", "**", "==", "!=", ">=", "<=");
    private static final String OPERATORS = "+-*/%~[](){}<>=.:|,;";
    private static final Pattern EXPONENT = Pattern.compile("[eE][-+]?[0-9]");
    private static final String OPENING = "([{";
    private static final String CLOSING = ")]}";

    private final String source;
    private final Deque<Character> open = new ArrayDeque<>();
    private int at;
    private int line;

    TagLexer(String source, int at, int line) {
        this.source = source;
        this.at = at;
        this.line = line;
    }

    /** Whether a bracket is open: then {@code }}} closes two dictionaries, not the tag. */
    boolean nested() {
        return !open.isEmpty();
    }

    boolean ended() {
        return at >= source.length();
    }

    int position() {
        return at;
    }

    void skipSpace() {
        while (!ended() && PythonText.isSpace(source.charAt(at))) {
            if (source.charAt(at++) == '\n') {
                line++;
            }
        }
    }

    Token next() {
        char first = source.charAt(at);
        if (isDigit(first)) {
            return number();
        }
        if (first == '_' || Character.isLetter(first)) {
            int start = at;
            while (!ended() && (source.charAt(at) == '_' || Character.isLetterOrDigit(source.charAt(at)))) {
                at++;
            }
            return new Token(Kind.NAME, source.substring(start, at), line);
        }
        return first == '"' || first == '\'' ? string(first) : operator(first);
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private Token number() {
        int start = at;
        digits();
        Kind kind = Kind.INTEGER;
        boolean afterDot = start > 0 && source.charAt(start - 1) == '.';
        if (!afterDot && at + 1 < source.length() && source.charAt(at) == '.' && isDigit(source.charAt(at + 1))) {
            kind = Kind.FLOAT;
            at++;
            digits();
        }
        if (!afterDot && EXPONENT.matcher(source).region(at, source.length()).lookingAt()) {
            kind = Kind.FLOAT;
            at += source.charAt(at + 1) == '+' || source.charAt(at + 1) == '-' ? 2 : 1;
            digits();
        }
        return new Token(kind, source.substring(start, at).replace("_", ""), line);
    }

    private void digits() {
        while (!ended() && (isDigit(source.charAt(at)) || source.charAt(at) == '_')) {
            at++;
        }
    }

    private Token string(char quote) {
        int start = at + 1;
        int startLine = line;
        for (at = start; !ended() && source.charAt(at) != quote; at++) {
            if (source.charAt(at) == '\n') {
                line++;
            }
            if (source.charAt(at) == '\\') {
                at++;
            }
        }
        if (ended()) {
            throw new TemplateException("a string is not closed with " + quote).at(startLine);
        }
        return new Token(Kind.STRING, Escapes.resolve(source.substring(start, at++), startLine), startLine);
    }

    private Token operator(char first) {
        for (String operator : LONG_OPERATORS) {
            if (source.startsWith(operator, at)) {
                at += operator.length();
                return new Token(Kind.OPERATOR, operator, line);
            }
        }
        if (OPERATORS.indexOf(first) < 0) {
            throw new TemplateException("'" + first + "' is unexpected here").at(line);
        }
        if (OPENING.indexOf(first) >= 0) {
            open.push(first);
        } else if (CLOSING.indexOf(first) >= 0) {
            if (open.isEmpty() || OPENING.indexOf(open.pop()) != CLOSING.indexOf(first)) {
                throw new TemplateException("'" + first + "' closes no bracket").at(line);
            }
        }
        at++;
        return new Token(Kind.OPERATOR, String.valueOf(first), line);
    }
}
