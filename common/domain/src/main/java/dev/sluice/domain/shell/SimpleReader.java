package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Statement.Assignment;
import dev.sluice.domain.shell.Word.Part;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads assignments, words and redirections of one simple command. */
final class SimpleReader {
    /** Commands whose arguments are assignments. */
    static final Set<String> DECLARING = Set.of("export", "declare", "typeset", "local", "readonly");

    private static final Pattern ASSIGNMENT =
            Pattern.compile("([A-Za-z_][A-Za-z0-9_]*)(\\[[^]]*])?(\\+?)=(.*)", Pattern.DOTALL);

    private final Cursor cursor;
    private final StatementReader statements;
    private final WordReader words;
    private final List<Assignment> assignments = new ArrayList<>();
    private final List<Word> arguments = new ArrayList<>();
    private final List<HereDocument> documents = new ArrayList<>();

    SimpleReader(Cursor cursor, StatementReader statements) {
        this.cursor = cursor;
        this.statements = statements;
        this.words = new WordReader(cursor);
    }

    /** The command at the cursor, or the function that is defined there. */
    Statement read() {
        Place place = cursor.place();
        while (true) {
            cursor.skipBlanks();
            if (cursor.end() || "\n;|)".indexOf(cursor.peek()) >= 0 || isBackground()) {
                break;
            }
            if (redirection()) {
                continue;
            }
            Word word = words.word();
            if (word.parts().isEmpty()) {
                if (cursor.peek() == '(' && arguments.size() == 1 && definesFunction()) {
                    return statements.function(arguments.getFirst().bare(), place);
                }
                throw statements.unexpected();
            }
            take(word);
        }
        return new Statement.Simple(assignments, arguments, documents, place);
    }

    /** After {@code fi}, {@code done} and the like. */
    void skipRedirections() {
        do {
            cursor.skipBlanks();
            int digits = digits();
            if (digits > 0) {
                for (int i = 0; i < digits; i++) {
                    cursor.next();
                }
            }
        } while (redirection());
    }

    private boolean isBackground() {
        return cursor.peek() == '&' && cursor.peek(1) != '>';
    }

    private boolean definesFunction() {
        cursor.next();
        cursor.skipBlanks();
        return cursor.take(")") && !arguments.getFirst().bare().isEmpty() && assignments.isEmpty();
    }

    private void take(Word word) {
        boolean descriptor = word.bare().matches("\\d+") && (cursor.peek() == '<' || cursor.peek() == '>');
        if (descriptor) {
            return; // 2>&1: the number belongs to the redirection
        }
        boolean assigning =
                arguments.isEmpty() || DECLARING.contains(arguments.getFirst().bare());
        Matcher matcher = ASSIGNMENT.matcher(word.prefix());
        if (!assigning || !matcher.matches()) {
            arguments.add(word);
            return;
        }
        boolean append = !matcher.group(3).isEmpty();
        if (cursor.peek() == '(' && word.parts().size() == 1 && matcher.group(4).isEmpty()) {
            assignments.add(statements.array(matcher.group(1), append, word.place()));
            return;
        }
        List<Part> value = new ArrayList<>(word.parts());
        value.set(0, new Part.Literal(matcher.group(4), false));
        assignments.add(new Assignment(
                matcher.group(1), matcher.group(2) != null, append, new Word(value, word.place()), null, word.place()));
    }

    private int digits() {
        int length = 0;
        while (Character.isDigit(cursor.peek(length))) {
            length++;
        }
        char after = cursor.peek(length);
        return after == '<' || after == '>' ? length : 0;
    }

    /** Takes a redirection with its target; false where there is none. */
    private boolean redirection() {
        char c = cursor.peek();
        if (c == '&' && cursor.peek(1) == '>') {
            cursor.next();
            c = cursor.peek();
        }
        if ((c != '<' && c != '>') || cursor.peek(1) == '(') {
            return false;
        }
        Place place = cursor.place();
        if (cursor.sees("<<") && !cursor.sees("<<<")) {
            document(place);
            return true;
        }
        while (cursor.peek() == '<' || cursor.peek() == '>') {
            cursor.next();
        }
        if (cursor.peek() == '&' || cursor.peek() == '|') {
            cursor.next();
        }
        cursor.skipBlanks();
        if (words.word().parts().isEmpty()) {
            throw new Unreadable(place, "a redirection names no file", "give the file that it reads or writes");
        }
        return true;
    }

    private void document(Place place) {
        cursor.take("<<");
        boolean indented = cursor.take("-");
        cursor.skipBlanks();
        Word end = words.word();
        boolean literal = false;
        StringBuilder text = new StringBuilder();
        for (Part part : end.parts()) {
            if (!(part instanceof Part.Literal(String piece, boolean quoted))) {
                throw new Unreadable(place, "the end of a here-document is no plain word", "write it as <<EOF");
            }
            text.append(piece);
            literal |= quoted;
        }
        if (text.isEmpty()) {
            throw new Unreadable(place, "a here-document does not say how it ends", "write it as <<EOF");
        }
        HereDocument document = new HereDocument(text.toString(), literal, indented, place);
        cursor.await(document);
        documents.add(document);
    }
}
