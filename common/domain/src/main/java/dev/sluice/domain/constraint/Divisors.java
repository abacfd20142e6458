package dev.sluice.domain.constraint;

import java.util.ArrayList;
import java.util.List;

/** Whole numbers that divide a size, and how mends offer them. */
final class Divisors {
    private Divisors() {}

    /** Divisors of a number, smallest first, none above the bound; none of a number below 1. */
    static List<Integer> of(int number, int bound) {
        List<Integer> divisors = new ArrayList<>();
        List<Integer> above = new ArrayList<>();
        // Up to the root only: a script may hold a size of two thousand million.
        for (int divisor = 1; (long) divisor * divisor <= number; divisor++) {
            if (number % divisor == 0) {
                divisors.add(divisor);
                if (divisor != number / divisor) {
                    above.addFirst(number / divisor);
                }
            }
        }
        divisors.addAll(above);
        divisors.removeIf(divisor -> divisor > bound);
        return List.copyOf(divisors);
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
