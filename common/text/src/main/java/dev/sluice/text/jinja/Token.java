package dev.sluice.text.jinja;

/**
 * A piece of a template.
 *
 * @param text of a string: with its escapes resolved
 * @param line from 1
 */
record Token(Kind kind, String text, int line) {
    enum Kind {
        TEXT,
        TAG_BEGIN,
        TAG_END,
        OUTPUT_BEGIN,
        OUTPUT_END,
        NAME,
        STRING,
        INTEGER,
        FLOAT,
        OPERATOR,
        END
    }

    boolean is(Kind expected, String expectedText) {
        return kind == expected && text.equals(expectedText);
    }

    String shown() {
        return kind == Kind.END ? "the end of the template" : "'" + text + "'";
    }
}
