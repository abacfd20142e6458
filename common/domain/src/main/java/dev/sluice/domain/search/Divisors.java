package dev.sluice.domain.search;

import java.util.List;
import java.util.stream.IntStream;

/** Sizes that a number splits into. */
final class Divisors {
    private Divisors() {}

    /** Smallest first, up to a bound. */
    static List<Integer> of(int number, int most) {
        return IntStream.rangeClosed(1, Math.min(number, most))
                .filter(size -> number % size == 0)
                .boxed()
                .toList();
    }

    /** The given size alone, or all of the choices. */
    static List<Integer> givenOr(@org.jspecify.annotations.Nullable Integer given, List<Integer> choices) {
        return given == null ? choices : List.of(given);
    }
}
