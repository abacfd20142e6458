package dev.sluice.domain.constraint;

import java.util.List;
import java.util.stream.IntStream;

/** Whole numbers that divide a size, and how mends offer them. */
final class Divisors {
    private Divisors() {}

    /** Divisors of a number, smallest first, none above the bound; none of a number below 1. */
    static List<Integer> of(int number, int bound) {
        return IntStream.rangeClosed(1, Math.min(number, bound))
                .filter(divisor -> number % divisor == 0)
                .boxed()
                .toList();
    }

    static List<Integer> of(int number) {
        return of(number, number);
    }

    /** {@code "1, 2 or 4"}. */
    static String choice(List<Integer> numbers) {
        int last = numbers.size() - 1;
        if (last < 1) {
            return numbers.isEmpty() ? "" : numbers.getFirst().toString();
        }
        String before = String.join(
                ", ", numbers.subList(0, last).stream().map(String::valueOf).toList());
        return before + " or " + numbers.getLast();
    }

    /** Least common multiple of positive numbers. */
    static long multiple(long one, long other) {
        long a = one;
        long b = other;
        while (b != 0) {
            long rest = a % b;
            a = b;
            b = rest;
        }
        return one / a * other;
    }
}
