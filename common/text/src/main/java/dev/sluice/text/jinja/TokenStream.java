package dev.sluice.text.jinja;

import dev.sluice.text.jinja.Token.Kind;
import java.util.List;
import java.util.function.Supplier;

/** The tokens of a template with a place; bounds how deeply what is read may be nested. */
final class TokenStream {
    /** Deeper than any published template nests, shallow enough for a thread's stack. */
    static final int MAXIMUM_NESTING = 50;

    private final List<Token> tokens;
    private int at;
    private int nesting;

    TokenStream(List<Token> tokens) {
        this.tokens = tokens;
    }

    Token peek() {
        return tokens.get(at);
    }

    Token peekSecond() {
        return tokens.get(Math.min(at + 1, tokens.size() - 1));
    }

    Token next() {
        Token token = tokens.get(at);
        if (token.kind() != Kind.END) {
            at++;
        }
        return token;
    }

    boolean sees(Kind kind) {
        return peek().kind() == kind;
    }

    boolean seesName(String name) {
        return peek().is(Kind.NAME, name);
    }

    boolean sees(String operator) {
        return peek().is(Kind.OPERATOR, operator);
    }

    boolean skip(String operator) {
        return sees(operator) && next() != null;
    }

    boolean skipName(String name) {
        return seesName(name) && next() != null;
    }

    Token expect(Kind kind, String what) {
        if (!sees(kind)) {
            throw unexpected(what);
        }
        return next();
    }

    void expect(String operator) {
        if (!skip(operator)) {
            throw unexpected("'" + operator + "'");
        }
    }

    TemplateException unexpected(String expected) {
        return new TemplateException(expected + " was expected, not " + peek().shown()).at(peek().line());
    }

    <T> T nested(Supplier<T> part) {
        if (++nesting > MAXIMUM_NESTING) {
            throw new TemplateException("the template nests deeper than " + MAXIMUM_NESTING + " levels")
                    .at(peek().line());
        }
        T read = part.get();
        nesting--;
        return read;
    }
}
