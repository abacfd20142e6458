package dev.sluice.domain.shell;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement of a script. */
sealed interface Statement {

    Place place();

    /**
     * Assignments, a command, or both.
     *
     * @param documents here-documents, in order
     */
    record Simple(List<Assignment> assignments, List<Word> words, List<HereDocument> documents, Place place)
            implements Statement {}

    /** {@code [[ ... ]]}. */
    record Test(List<Word> words, Place place) implements Statement {}

    /** {@code (( ... ))}. */
    record Sum(Word expression, Place place) implements Statement {}

    /** {@code if ... elif ... else ... fi}. */
    record Choice(List<Branch> branches, List<Statement> otherwise, Place place) implements Statement {}

    /** {@code case ... esac}. */
    record Match(Word subject, List<Pattern> patterns, Place place) implements Statement {}

    /**
     * {@code for}, {@code while} or {@code until}.
     *
     * @param variable what a {@code for} counts with
     */
    record Loop(@Nullable String variable, List<Statement> body, Place place) implements Statement {}

    /** {@code left && right}, or {@code left || right}. */
    record Pair(Statement left, boolean and, Statement right, Place place) implements Statement {}

    /** {@code ! statement}. */
    record Not(Statement statement, Place place) implements Statement {}

    /** {@code one | other}. */
    record Pipeline(List<Statement> statements, Place place) implements Statement {}

    /** <code>{ ...; }</code> or {@code ( ... )}. */
    record Group(List<Statement> statements, Place place) implements Statement {}

    record Function(String name, List<Statement> body, Place place) implements Statement {}

    record Branch(List<Statement> condition, List<Statement> body) {}

    record Pattern(List<Word> choices, List<Statement> body) {}

    /**
     * {@code name=value}, {@code name+=value}, {@code name=(...)} or {@code name[index]=value}.
     *
     * @param elements of an array, absent where a single value is assigned
     */
    record Assignment(
            String name,
            boolean indexed,
            boolean append,
            Word value,
            @Nullable List<Word> elements,
            Place place) {}
}
