package dev.sluice.domain.candidate;

import java.util.Arrays;

/** A version as Python packages write it; only the numbers of its release count, a {@code .post1} as one more. */
public record Version(String text) implements Comparable<Version> {
    @Override
    public int compareTo(Version other) {
        return Arrays.compare(numbers(), other.numbers());
    }

    public boolean atLeast(String other) {
        return compareTo(new Version(other)) >= 0;
    }

    private int[] numbers() {
        int[] numbers = new int[5];
        String[] parts = text.split("[.+]", -1);
        for (int i = 0; i < Math.min(parts.length, numbers.length); i++) {
            String digits = parts[i].replaceAll("\\D", "");
            numbers[i] = digits.isEmpty() || digits.length() > 9 ? 0 : Integer.parseInt(digits);
        }
        return numbers;
    }

    @Override
    public String toString() {
        return text;
    }
}
