package dev.sluice.domain.shell;

import java.util.List;
import java.util.regex.Pattern;

/** One word of a script before anything in it is expanded. */
record Word(List<Part> parts, Place place) {
    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]*");

    Word {
        parts = List.copyOf(parts);
    }

    /** A piece of a word; {@code quoted} pieces are not split at blanks. */
    sealed interface Part {
        record Literal(String text, boolean quoted) implements Part {}

        /**
         * {@code $name}, {@code ${name[index]operator operand}}, or its length.
         *
         * @param index empty where there is none
         * @param operator such as {@code :-}, empty where there is none
         */
        record Parameter(String name, String index, String operator, Word operand, boolean length, boolean quoted)
                implements Part {}

        /** {@code $((...))}. */
        record Sum(Word expression, boolean quoted) implements Part {}

        /** {@code $(...)}; the text is for messages. */
        record Substitution(List<Statement> statements, String text, boolean quoted) implements Part {}

        /** A form that is not read. */
        record Opaque(String text, boolean quoted) implements Part {}
    }

    /** The text of a word without any quote or expansion; otherwise empty. */
    String bare() {
        return parts.size() == 1 && parts.getFirst() instanceof Part.Literal(String text, boolean quoted) && !quoted
                ? text
                : "";
    }

    /** The unquoted text that the word begins with. */
    String prefix() {
        return !parts.isEmpty() && parts.getFirst() instanceof Part.Literal(String text, boolean quoted) && !quoted
                ? text
                : "";
    }

    static boolean isName(String text) {
        return NAME.matcher(text).matches();
    }
}
