package dev.sluice.domain.shell;

import dev.sluice.domain.shell.Statement.Assignment;
import dev.sluice.domain.shell.Statement.Branch;
import dev.sluice.domain.shell.Statement.Pattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads statements, after the grammar of the bash manual as far as launch scripts use it. */
final class StatementReader {
    private static final Set<String> CLOSING = Set.of("then", "elif", "else", "fi", "do", "done", "esac", "}");

    private final Cursor cursor;
    private final WordReader words;

    StatementReader(Cursor cursor) {
        this.cursor = cursor;
        this.words = new WordReader(cursor);
    }

    /**
     * Reads a whole script.
     *
     * @param into gets every statement as soon as it is read, so that those before an error are known
     */
    void script(List<Statement> into) {
        list(into);
        if (!cursor.end()) {
            throw unexpected();
        }
    }

    /** The statements up to the parenthesis that closes what was opened at the place. */
    List<Statement> untilParenthesis(Place opened) {
        List<Statement> statements = new ArrayList<>();
        list(statements);
        if (!cursor.take(")")) {
            throw cursor.end() ? unclosed(opened, "(", ")") : unexpected();
        }
        return statements;
    }

    private void list(List<Statement> into) {
        while (true) {
            skipSeparators();
            if (cursor.end() || cursor.peek() == ')' || cursor.sees(";;") || CLOSING.contains(keyword())) {
                return;
            }
            into.add(pair());
        }
    }

    private List<Statement> list() {
        List<Statement> statements = new ArrayList<>();
        list(statements);
        return statements;
    }

    private void skipSeparators() {
        while (true) {
            cursor.skipBlanks();
            char c = cursor.peek();
            boolean separator = c == '\n' || (c == ';' && cursor.peek(1) != ';') || (c == '&' && cursor.peek(1) != '>');
            if (!separator || cursor.end()) {
                return;
            }
            cursor.next();
        }
    }

    private Statement pair() {
        Statement left = pipeline();
        for (int chained = 1; ; chained++) {
            cursor.skipBlanks();
            boolean and = cursor.sees("&&");
            if (!and && !cursor.sees("||")) {
                return left;
            }
            if (chained > Limits.CHAINED) {
                throw new Unreadable(
                        left.place(),
                        "more than %d commands are chained by && and ||".formatted(Limits.CHAINED),
                        "write them as lines of their own");
            }
            cursor.take(and ? "&&" : "||");
            skipLines();
            left = new Statement.Pair(left, and, pipeline(), left.place());
        }
    }

    private Statement pipeline() {
        List<Statement> statements = new ArrayList<>();
        Place place = cursor.place();
        do {
            skipLines();
            statements.add(command());
            cursor.skipBlanks();
        } while (!cursor.sees("||") && (cursor.take("|&") || cursor.take("|")));
        return statements.size() == 1 ? statements.getFirst() : new Statement.Pipeline(statements, place);
    }

    private void skipLines() {
        cursor.skipBlanks();
        while (cursor.peek() == '\n') {
            cursor.next();
            cursor.skipBlanks();
        }
    }

    private Statement command() {
        cursor.enter();
        Place place = cursor.place();
        Statement statement = cursor.sees("((") ? sum(place) : compound(keyword(), place);
        if (statement == null) {
            statement = new SimpleReader(cursor, this).read();
        } else if (!(statement instanceof Statement.Not)) {
            new SimpleReader(cursor, this).skipRedirections();
        }
        cursor.leave();
        return statement;
    }

    private @Nullable Statement compound(String keyword, Place place) {
        return switch (keyword) {
            case "if" -> choice(place);
            case "for", "select" -> counted(keyword, place);
            case "while", "until" -> conditional(keyword, place);
            case "case" -> match(place);
            case "function" -> function(place);
            case "[[" -> test(place);
            case "!" -> {
                cursor.take("!");
                cursor.skipBlanks();
                yield new Statement.Not(command(), place);
            }
            case "{" -> {
                cursor.take("{");
                List<Statement> body = list();
                close("}", place, "{");
                yield new Statement.Group(body, place);
            }
            case "(" -> {
                cursor.take("(");
                yield new Statement.Group(untilParenthesis(place), place);
            }
            default -> null;
        };
    }

    private Statement choice(Place place) {
        List<Branch> branches = new ArrayList<>();
        cursor.take("if");
        do {
            List<Statement> condition = list();
            close("then", place, "if");
            branches.add(new Branch(condition, list()));
        } while (takeKeyword("elif"));
        List<Statement> otherwise = takeKeyword("else") ? list() : List.of();
        close("fi", place, "if");
        return new Statement.Choice(branches, otherwise, place);
    }

    private Statement counted(String keyword, Place place) {
        cursor.take(keyword);
        cursor.skipBlanks();
        String variable = null;
        if (cursor.take("((")) {
            words.expression();
            if (!cursor.take("))")) {
                throw unclosed(place, "for ((", "))");
            }
        } else {
            variable = words.word().bare();
            skipLines();
            if (takeKeyword("in")) {
                items();
            }
        }
        skipSeparators();
        if (takeKeyword("{")) {
            List<Statement> body = list();
            close("}", place, "{");
            return new Statement.Loop(variable, body, place);
        }
        return new Statement.Loop(variable, body(place, keyword), place);
    }

    private void items() {
        while (true) {
            cursor.skipBlanks();
            if (words.word().parts().isEmpty()) {
                return;
            }
        }
    }

    private Statement conditional(String keyword, Place place) {
        cursor.take(keyword);
        List<Statement> all = list();
        all.addAll(body(place, keyword));
        return new Statement.Loop(null, all, place);
    }

    private List<Statement> body(Place place, String keyword) {
        close("do", place, keyword);
        List<Statement> body = list();
        close("done", place, keyword);
        return body;
    }

    private Statement match(Place place) {
        cursor.take("case");
        cursor.skipBlanks();
        Word subject = words.word();
        skipLines();
        close("in", place, "case");
        List<Pattern> patterns = new ArrayList<>();
        skipLines();
        while (!keyword().equals("esac")) {
            patterns.add(pattern(place));
            skipLines();
        }
        cursor.take("esac");
        return new Statement.Match(subject, patterns, place);
    }

    private Pattern pattern(Place opened) {
        cursor.take("(");
        List<Word> choices = new ArrayList<>();
        do {
            cursor.skipBlanks();
            choices.add(words.word());
            cursor.skipBlanks();
        } while (cursor.take("|"));
        if (!cursor.take(")")) {
            throw cursor.end() ? unclosed(opened, "case", "esac") : unexpected();
        }
        List<Statement> body = list();
        if (!cursor.take(";;&") && !cursor.take(";;") && !cursor.take(";&")) {
            skipLines();
            if (!keyword().equals("esac")) {
                throw cursor.end() ? unclosed(opened, "case", "esac") : unexpected();
            }
        }
        return new Pattern(choices, body);
    }

    private Statement function(Place place) {
        cursor.take("function");
        cursor.skipBlanks();
        String name = words.word().bare();
        cursor.skipBlanks();
        if (cursor.take("(")) {
            cursor.skipBlanks();
            cursor.take(")");
        }
        return function(name, place);
    }

    /** The function's body; the cursor stands behind its name. */
    Statement function(String name, Place place) {
        skipLines();
        if (cursor.end()) {
            throw unclosed(place, name + "()", "a body");
        }
        return new Statement.Function(name, List.of(command()), place);
    }

    private Statement test(Place place) {
        cursor.take("[[");
        List<Word> all = new ArrayList<>();
        while (true) {
            skipLines();
            if (cursor.end()) {
                throw unclosed(place, "[[", "]]");
            }
            if (cursor.sees("]]") && isEnd(cursor.peek(2))) {
                cursor.take("]]");
                return new Statement.Test(all, place);
            }
            all.add(words.testWord());
        }
    }

    private Statement sum(Place place) {
        cursor.take("((");
        Word expression = words.expression();
        if (!cursor.take("))")) {
            throw unclosed(place, "((", "))");
        }
        return new Statement.Sum(expression, place);
    }

    /** An array's elements; the cursor stands at the parenthesis. */
    Assignment array(String name, boolean append, Place place) {
        cursor.take("(");
        List<Word> elements = new ArrayList<>();
        while (true) {
            skipLines();
            if (cursor.take(")")) {
                return new Assignment(name, false, append, new Word(List.of(), place), elements, place);
            }
            Word element = words.word();
            if (element.parts().isEmpty()) {
                throw cursor.end() ? unclosed(place, name + "=(", ")") : unexpected();
            }
            elements.add(element);
        }
    }

    private void close(String keyword, Place opened, String opening) {
        skipSeparators();
        if (!takeKeyword(keyword)) {
            throw cursor.end() ? unclosed(opened, opening, keyword) : unexpected();
        }
    }

    private boolean takeKeyword(String keyword) {
        return keyword().equals(keyword) && cursor.take(keyword);
    }

    /** The reserved word at the cursor, or what looks like one; empty where none can be. */
    private String keyword() {
        char c = cursor.peek();
        if (c == '(' || c == '{' || c == '}' || c == '!' || cursor.sees("[[")) {
            String mark = cursor.sees("[[") ? "[[" : String.valueOf(c);
            return c == '(' || isEnd(cursor.peek(mark.length())) ? mark : "";
        }
        int length = 0;
        while (cursor.peek(length) >= 'a' && cursor.peek(length) <= 'z' && length < 9) {
            length++;
        }
        if (length == 0 || !isEnd(cursor.peek(length))) {
            return "";
        }
        StringBuilder word = new StringBuilder();
        for (int i = 0; i < length; i++) {
            word.append(cursor.peek(i));
        }
        return word.toString();
    }

    private static boolean isEnd(char c) {
        return " \t\r\n;&|()<>\0".indexOf(c) >= 0;
    }

    Unreadable unexpected() {
        String found = cursor.peek() == '\n' ? "the end of the line" : "\"" + cursor.peek() + "\"";
        return new Unreadable(
                cursor.place(),
                keyword().length() > 1
                        ? "\"%s\" stands here without its beginning".formatted(keyword())
                        : found + " is not expected here",
                "check the brackets and quotes above");
    }

    private static Unreadable unclosed(Place opened, String opening, String closing) {
        return new Unreadable(
                opened, "\"%s\" is opened here and has no \"%s\"".formatted(opening, closing), "close it");
    }
}
