package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Word.Part;
import java.util.ArrayList;
import java.util.List;

/** Reads words: quotes, escapes and, with {@link DollarReader}, expansions. */
final class WordReader {
    private static final String ENDS = " \t\r\n;&|()<>";

    private final Cursor cursor;

    WordReader(Cursor cursor) {
        this.cursor = cursor;
    }

    /** A word up to the next blank or operator; without parts where there is none. */
    Word word() {
        return read(new Stop() {
            @Override
            public boolean here() {
                char c = cursor.peek();
                boolean substitution = (c == '<' || c == '>') && cursor.peek(1) == '(';
                return ENDS.indexOf(c) >= 0 && !substitution;
            }
        });
    }

    /** A word of a test or an arithmetic command, in which operators are no operators of the shell. */
    Word testWord() {
        return read(() -> " \t\r\n".indexOf(cursor.peek()) >= 0);
    }

    /** What stands between an operator and the brace that closes its expansion. */
    Word operand() {
        return read(() -> cursor.peek() == '}');
    }

    /** An arithmetic expression up to the {@code ))} that is not its own. */
    Word expression() {
        int[] open = {0};
        return read(() -> {
            char c = cursor.peek();
            if (c == '(') {
                open[0]++;
            } else if (c == ')' && open[0]-- == 0) {
                return true;
            }
            return false;
        });
    }

    /** A whole here-document, in which quotes mean nothing. */
    Word document() {
        Pieces pieces = new Pieces(cursor.place());
        while (!cursor.end()) {
            quotedCharacter(pieces, "$`\\");
        }
        return pieces.word();
    }

    private interface Stop {
        boolean here();
    }

    private Word read(Stop stop) {
        Pieces pieces = new Pieces(cursor.place());
        while (!cursor.end() && !stop.here()) {
            switch (cursor.peek()) {
                case '\\' -> escape(pieces);
                case '\'' -> single(pieces);
                case '"' -> twofold(pieces);
                case '`' -> pieces.add(new DollarReader(cursor).backquoted(false));
                case '$' -> dollar(pieces);
                case '<', '>' -> {
                    if (cursor.peek(1) == '(') {
                        pieces.add(new DollarReader(cursor).process());
                    } else {
                        pieces.literal(cursor.next(), false);
                    }
                }
                default -> pieces.literal(cursor.next(), false);
            }
        }
        return pieces.word();
    }

    private void escape(Pieces pieces) {
        cursor.next();
        if (cursor.peek() == '\n') {
            cursor.next();
        } else if (!cursor.end()) {
            pieces.literal(cursor.next(), true);
        }
    }

    private void single(Pieces pieces) {
        Place opened = cursor.place();
        cursor.next();
        pieces.open();
        while (cursor.peek() != '\'') {
            if (cursor.end()) {
                throw new Unreadable(opened, "a single quote (') is opened here and never closed", "close the quote");
            }
            pieces.literal(cursor.next(), true);
        }
        cursor.next();
    }

    private void twofold(Pieces pieces) {
        Place opened = cursor.place();
        cursor.next();
        pieces.open();
        while (cursor.peek() != '"') {
            if (cursor.end()) {
                throw new Unreadable(opened, "a double quote (\") is opened here and never closed", "close the quote");
            }
            quotedCharacter(pieces, "$`\"\\");
        }
        cursor.next();
    }

    private void quotedCharacter(Pieces pieces, String escapable) {
        char c = cursor.peek();
        if (c == '\\') {
            cursor.next();
            if (cursor.peek() == '\n') {
                cursor.next();
            } else if (!cursor.end() && escapable.indexOf(cursor.peek()) >= 0) {
                pieces.literal(cursor.next(), true);
            } else {
                pieces.literal('\\', true);
            }
        } else if (c == '$') {
            pieces.add(new DollarReader(cursor).read(true));
        } else if (c == '`') {
            pieces.add(new DollarReader(cursor).backquoted(true));
        } else {
            pieces.literal(cursor.next(), true);
        }
    }

    private void dollar(Pieces pieces) {
        if (cursor.peek(1) == '\'') {
            ansi(pieces);
        } else if (cursor.peek(1) == '"') {
            cursor.next();
            twofold(pieces);
        } else {
            pieces.add(new DollarReader(cursor).read(false));
        }
    }

    /** {@code $'...'}, of whose escapes the usual ones are known. */
    private void ansi(Pieces pieces) {
        Place opened = cursor.place();
        cursor.next();
        cursor.next();
        pieces.open();
        while (cursor.peek() != '\'') {
            if (cursor.end()) {
                throw new Unreadable(opened, "a quote ($') is opened here and never closed", "close the quote");
            }
            char c = cursor.next();
            if (c == '\\' && !cursor.end()) {
                char escaped = cursor.next();
                int known = "ntr".indexOf(escaped);
                pieces.literal(known < 0 ? escaped : "\n\t\r".charAt(known), true);
            } else {
                pieces.literal(c, true);
            }
        }
        cursor.next();
    }

    /** The parts read so far; literal characters of one kind are gathered. */
    private static final class Pieces {
        private final Place place;
        private final List<Part> parts = new ArrayList<>();
        private final StringBuilder literal = new StringBuilder();
        private boolean quoted;
        private boolean opened;

        Pieces(Place place) {
            this.place = place;
        }

        void literal(char c, boolean inQuotes) {
            if (inQuotes != quoted) {
                flush();
                quoted = inQuotes;
            }
            literal.append(c);
        }

        /** A pair of quotes makes a word even where nothing stands in it. */
        void open() {
            flush();
            quoted = true;
            opened = true;
        }

        void add(Part part) {
            flush();
            if (part instanceof Part.Literal plain) {
                plain.text().chars().forEach(c -> literal((char) c, plain.quoted()));
            } else {
                parts.add(part);
            }
        }

        Word word() {
            flush();
            return new Word(parts, place);
        }

        private void flush() {
            if (!literal.isEmpty() || opened) {
                parts.add(new Part.Literal(literal.toString(), quoted));
            }
            literal.setLength(0);
            opened = false;
        }
    }
}
