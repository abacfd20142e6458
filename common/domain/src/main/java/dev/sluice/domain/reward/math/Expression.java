package dev.sluice.domain.reward.math;

/** An expression as a tree, of at most {@value #MAX_NODES} nodes and {@value #MAX_DEPTH} levels. */
sealed interface Expression {
    int MAX_NODES = 400;
    int MAX_DEPTH = 60;

    /** A number as it is written, such as 12, .5 or 1e6. */
    record Number(String digits) implements Expression {}

    /** An unknown, or the constant {@code pi}. */
    record Name(String name) implements Expression {}

    record Negative(Expression of) implements Expression {}

    record Sum(Expression left, Expression right) implements Expression {}

    record Product(Expression left, Expression right) implements Expression {}

    record Quotient(Expression left, Expression right) implements Expression {}

    record Power(Expression base, Expression exponent) implements Expression {}

    record Root(Expression of) implements Expression {}

    record Logarithm(Expression of) implements Expression {}

    record Factorial(Expression of) implements Expression {}

    /** What it is worth where the unknowns are what the field says. */
    default <T> T in(Field<T> field) {
        return switch (this) {
            case Number number -> field.number(number.digits());
            case Name name -> field.named(name.name());
            case Negative negative -> field.negative(negative.of().in(field));
            case Sum sum -> field.sum(sum.left().in(field), sum.right().in(field));
            case Product product ->
                field.product(product.left().in(field), product.right().in(field));
            case Quotient quotient ->
                field.quotient(quotient.left().in(field), quotient.right().in(field));
            case Power power ->
                field.power(power.base().in(field), power.exponent().in(field));
            case Root root -> field.root(root.of().in(field));
            case Logarithm logarithm -> field.logarithm(logarithm.of().in(field));
            case Factorial factorial -> field.factorial(factorial.of().in(field));
        };
    }
}
