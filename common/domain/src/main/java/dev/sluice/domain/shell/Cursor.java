package dev.sluice.domain.shell;

import java.util.ArrayDeque;
import java.util.Deque;

/** A place in a text that is read from left to right. */
final class Cursor {
    /** What {@link #peek} gives beyond the end; texts with this character are refused before. */
    static final char END = '\0';

    private final String file;
    private final String text;
    private final Deque<HereDocument> awaited = new ArrayDeque<>();
    private int at;
    private int line;
    private int depth;

    Cursor(String file, String text, int firstLine) {
        this.file = file;
        this.text = text;
        this.line = firstLine;
    }

    boolean end() {
        return at >= text.length();
    }

    int line() {
        return line;
    }

    int position() {
        return at;
    }

    String since(int position) {
        return text.substring(position, at);
    }

    Place place() {
        return new Place(file, line);
    }

    char peek() {
        return peek(0);
    }

    char peek(int ahead) {
        return at + ahead < text.length() ? text.charAt(at + ahead) : END;
    }

    boolean sees(String expected) {
        return text.startsWith(expected, at);
    }

    boolean take(String expected) {
        if (!sees(expected)) {
            return false;
        }
        for (int i = 0; i < expected.length(); i++) {
            next();
        }
        return true;
    }

    char next() {
        char taken = peek();
        at++;
        if (taken == '\n') {
            line++;
            while (!awaited.isEmpty()) {
                awaited.removeFirst().read(this);
            }
        }
        return taken;
    }

    /** The line up to its end, which is taken too; a here-document's own lines hold no further document. */
    String restOfLine() {
        int stop = text.indexOf('\n', at);
        String rest = text.substring(at, stop < 0 ? text.length() : stop);
        at = stop < 0 ? text.length() : stop + 1;
        line++;
        return rest;
    }

    /** The document begins after the line that the cursor is in. */
    void await(HereDocument document) {
        awaited.addLast(document);
    }

    /** Skips blanks, continued lines and, at the start of a word, a comment. */
    void skipBlanks() {
        while (!end()) {
            char c = peek();
            if (c == ' ' || c == '\t' || c == '\r') {
                next();
            } else if (!take("\\\n") && !take("\\\r\n")) {
                break;
            }
        }
        if (peek() == '#') {
            while (!end() && peek() != '\n') {
                next();
            }
        }
    }

    void enter() {
        if (++depth > Limits.NESTING) {
            throw new Unreadable(
                    place(), "the script is nested more than %d deep".formatted(Limits.NESTING), "write it flatter");
        }
    }

    void leave() {
        depth--;
    }
}
