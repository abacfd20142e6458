package dev.sluice.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a template does. */
sealed interface Statement {
    /** A statement where it stands. */
    record Placed(int line, Statement statement) {}

    record Text(String text) implements Statement {}

    record Output(Expression value) implements Statement {}

    record If(List<Branch> branches, List<Placed> otherwise) implements Statement {}

    record Branch(Expression condition, List<Placed> body) {}

    /** {@code for target in items if condition}; {@code otherwise} runs where there was no item. */
    record For(
            Target target, Expression items, @Nullable Expression condition, List<Placed> body, List<Placed> otherwise)
            implements Statement {}

    record Set(Target target, Expression value) implements Statement {}

    /** {@code set target | filters} up to {@code endset}: the text of the body. */
    record SetText(Target target, List<Expression.Filtered> filters, List<Placed> body) implements Statement {}

    record FilterText(List<Expression.Filtered> filters, List<Placed> body) implements Statement {}

    /** Marks what an assistant generated; renders as its body, in a scope of its own. */
    record Generation(List<Placed> body) implements Statement {}

    record Macro(String name, List<Parameter> parameters, List<Placed> body) implements Statement {}

    record Parameter(String name, @Nullable Expression otherwise) {}

    record Break() implements Statement {}

    record Continue() implements Statement {}

    /** Where a value goes. */
    sealed interface Target {}

    record Variable(String name) implements Target {}

    record Unpacked(List<Target> targets) implements Target {}

    record Member(String namespace, String name) implements Target {}
}
