package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Word.Part;
import java.util.List;

/** Reads what begins with a dollar sign or a backquote. */
final class DollarReader {
    private static final String SPECIAL = "@*#?$!-0123456789";
    /** Longer ones first, so that {@code :-} is not taken for a substring. */
    private static final List<String> OPERATORS =
            List.of(":-", ":=", ":?", ":+", "##", "%%", "-", "=", "?", "+", "#", "%");

    private static final Word NOTHING = new Word(List.of(), new Place("", 0));
    private static final int SHOWN = 48;

    private final Cursor cursor;

    DollarReader(Cursor cursor) {
        this.cursor = cursor;
    }

    /** The expansion at the cursor, which stands at the dollar sign; a dollar sign alone is a literal. */
    Part read(boolean quoted) {
        cursor.enter();
        try {
            Place opened = cursor.place();
            int start = cursor.position();
            cursor.next();
            if (cursor.take("((")) {
                return sum(opened, quoted);
            }
            if (cursor.take("(")) {
                return substitution(opened, start, quoted);
            }
            if (cursor.take("{")) {
                return braces(opened, start, quoted);
            }
            String name = name();
            if (!name.isEmpty()) {
                return new Part.Parameter(name, "", "", NOTHING, false, quoted);
            }
            boolean special = !cursor.end() && SPECIAL.indexOf(cursor.peek()) >= 0;
            return special
                    ? new Part.Parameter(String.valueOf(cursor.next()), "", "", NOTHING, false, quoted)
                    : new Part.Literal("$", quoted);
        } finally {
            cursor.leave();
        }
    }

    /** {@code `command`}; commands in backquotes are never looked into. */
    Part backquoted(boolean quoted) {
        Place opened = cursor.place();
        int start = cursor.position();
        cursor.next();
        while (cursor.peek() != '`') {
            if (cursor.end()) {
                throw new Unreadable(opened, "a backquote (`) is opened here and never closed", "close the quote");
            }
            if (cursor.next() == '\\' && !cursor.end()) {
                cursor.next();
            }
        }
        cursor.next();
        return new Part.Substitution(List.of(), shown(cursor.since(start)), quoted);
    }

    /** {@code <(...)} or {@code >(...)}. */
    Part process() {
        cursor.enter();
        Place opened = cursor.place();
        int start = cursor.position();
        cursor.next();
        cursor.next();
        Part part = substitution(opened, start, false);
        cursor.leave();
        return new Part.Substitution(List.of(), ((Part.Substitution) part).text(), false);
    }

    private Part sum(Place opened, boolean quoted) {
        Word expression = new WordReader(cursor).expression();
        if (!cursor.take("))")) {
            throw new Unreadable(opened, "$(( is opened here and has no ))", "close it with ))");
        }
        return new Part.Sum(expression, quoted);
    }

    private Part substitution(Place opened, int start, boolean quoted) {
        List<Statement> statements = new StatementReader(cursor).untilParenthesis(opened);
        return new Part.Substitution(statements, shown(cursor.since(start)), quoted);
    }

    private Part braces(Place opened, int start, boolean quoted) {
        boolean length = cursor.peek() == '#' && cursor.peek(1) != '}';
        if (length) {
            cursor.next();
        }
        String name = name();
        if (name.isEmpty() && !cursor.end() && SPECIAL.indexOf(cursor.peek()) >= 0) {
            name = String.valueOf(cursor.next());
        }
        String index = cursor.peek() == '[' ? index(opened) : "";
        String operator = OPERATORS.stream().filter(cursor::take).findFirst().orElse("");
        Word operand = operator.isEmpty() ? NOTHING : new WordReader(cursor).operand();
        boolean known = !name.isEmpty() && cursor.peek() == '}';
        if (!known) {
            new WordReader(cursor).operand();
        }
        if (!cursor.take("}")) {
            throw new Unreadable(opened, "${ is opened here and has no }", "close it with }");
        }
        return known
                ? new Part.Parameter(name, index, operator, operand, length, quoted)
                : new Part.Opaque(shown(cursor.since(start)), quoted);
    }

    private String index(Place opened) {
        cursor.next();
        int start = cursor.position();
        while (cursor.peek() != ']') {
            if (cursor.end() || cursor.peek() == '\n') {
                throw new Unreadable(opened, "${name[ has no ]", "close the index with ]");
            }
            cursor.next();
        }
        String index = cursor.since(start);
        cursor.next();
        return index;
    }

    private String name() {
        int start = cursor.position();
        while (isLetter(cursor.peek()) || (cursor.position() > start && Character.isDigit(cursor.peek()))) {
            cursor.next();
        }
        return cursor.since(start);
    }

    private static boolean isLetter(char c) {
        return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    }

    private static String shown(String text) {
        String line = text.replaceAll("\\s+", " ");
        return line.length() <= SHOWN ? line : line.substring(0, SHOWN - 3) + "...";
    }
}
