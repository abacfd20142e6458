package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Cuts a template into tokens as Jinja2 3.1 does with {@code trim_blocks} and {@code lstrip_blocks}: the newline after a
 * tag goes, spaces before a tag that begins its line go, {@code -} takes all white space on its side and {@code +} keeps it.
 *
 * @see <a href="https://github.com/pallets/jinja/blob/3.1.6/src/jinja2/lexer.py">lexer.py</a>
 */
final class Lexer {
    private static final Pattern NEWLINE = Pattern.compile("\r\n|\r");
    private static final Pattern TAG = Pattern.compile("\\{[{%#]");
    private static final Pattern RAW_BEGIN = Pattern.compile("\\s*raw\\s*(?:-%}\\s*|%})");
    private static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*(?:\\+%}|-%}\\s*|%}\n?)");

    private final String source;
    private final List<Token> tokens = new ArrayList<>();
    private int at;
    private int line = 1;
    // Whether the last piece ended a line; only then are spaces before a tag "the spaces that begin its line".
    private boolean lineBegins = true;

    private Lexer(String source) {
        this.source = source;
    }

    static List<Token> tokens(String template) {
        String lines = NEWLINE.matcher(template).replaceAll("\n");
        Lexer lexer = new Lexer(lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines);
        lexer.run();
        return List.copyOf(lexer.tokens);
    }

    private void run() {
        Matcher tag = TAG.matcher(source);
        while (tag.find(at)) {
            String before = source.substring(at, tag.start());
            char kind = source.charAt(tag.start() + 1);
            int inside = tag.end();
            char sign = inside < source.length() ? source.charAt(inside) : ' ';
            if (sign == '-' || sign == '+') {
                inside++;
            }
            text(strippedBefore(before, sign, kind != '{'));
            moveTo(inside);
            switch (kind) {
                case '#' -> comment();
                case '{' -> tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
                default -> blockOrRaw();
            }
        }
        text(source.substring(at));
        tokens.add(new Token(Kind.END, "", line));
    }

    private String strippedBefore(String text, char sign, boolean block) {
        if (sign == '-') {
            return PythonText.strip(text, null, false, true);
        }
        int lineStart = text.lastIndexOf('\n') + 1;
        boolean ownLine = lineStart > 0 || lineBegins;
        if (sign == '+' || !block || !ownLine) {
            return text;
        }
        boolean blank = text.chars().skip(lineStart).allMatch(c -> c == ' ' || c == '\t');
        return blank ? text.substring(0, lineStart) : text;
    }

    private void text(String text) {
        if (!text.isEmpty()) {
            tokens.add(new Token(Kind.TEXT, text, line));
        }
    }

    private void moveTo(int end) {
        for (int i = at; i < end; i++) {
            if (source.charAt(i) == '\n') {
                line++;
            }
        }
        lineBegins = end > at && source.charAt(end - 1) == '\n';
        at = end;
    }

    private void comment() {
        int end = source.indexOf("#}", at);
        if (end < 0) {
            throw new TemplateException("the comment is not closed with #}").at(line);
        }
        char sign = end > at ? source.charAt(end - 1) : ' ';
        moveTo(afterEnd(end + 2, sign, true));
    }

    /** Where text goes on after a tag's end: {@code -} takes white space, a tag takes its newline. */
    private int afterEnd(int end, char sign, boolean takesNewline) {
        if (sign == '-') {
            int next = end;
            while (next < source.length() && PythonText.isSpace(source.charAt(next))) {
                next++;
            }
            return next;
        }
        boolean newline = takesNewline && sign != '+' && end < source.length() && source.charAt(end) == '\n';
        return newline ? end + 1 : end;
    }

    private void blockOrRaw() {
        Matcher raw = RAW_BEGIN.matcher(source).region(at, source.length());
        if (!raw.lookingAt()) {
            tag(Kind.TAG_BEGIN, Kind.TAG_END, "%}");
            return;
        }
        moveTo(raw.end());
        Matcher end = RAW_END.matcher(source);
        if (!end.find(at)) {
            throw new TemplateException("raw is not closed with {% endraw %}").at(line);
        }
        char sign = end.group(1).isEmpty() ? ' ' : end.group(1).charAt(0);
        text(strippedBefore(source.substring(at, end.start()), sign, true));
        moveTo(end.end());
    }

    private void tag(Kind begin, Kind end, String closing) {
        tokens.add(new Token(begin, "", line));
        TagLexer inside = new TagLexer(source, at, line);
        while (true) {
            inside.skipSpace();
            if (inside.ended()) {
                throw new TemplateException("the tag is not closed with " + closing).at(line);
            }
            if (!inside.nested()) {
                int from = inside.position();
                char sign = source.charAt(from);
                int mark = sign == '-' || (sign == '+' && end == Kind.TAG_END) ? from + 1 : from;
                if (source.startsWith(closing, mark)) {
                    moveTo(from);
                    tokens.add(new Token(end, closing, line));
                    moveTo(afterEnd(mark + 2, mark == from ? ' ' : sign, end == Kind.TAG_END));
                    return;
                }
            }
            tokens.add(inside.next());
        }
    }
}
