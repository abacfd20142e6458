package dev.sluice.domain.reward.math;

/**
 * Numbers that expressions are computed in. Every operation takes bounded time and throws {@link UndecidedException} where it
 * cannot give its value.
 */
interface Field<T> {
    T number(String digits);

    T named(String name);

    T negative(T of);

    T sum(T left, T right);

    T product(T left, T right);

    T quotient(T left, T right);

    T power(T base, T exponent);

    T root(T of);

    T logarithm(T of);

    T factorial(T of);

    /** Whether two values are the same number. */
    boolean same(T left, T right);
}
