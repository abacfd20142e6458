package dev.sluice.domain.candidate;

/** A version as Python packages write it; only the numbers of its release count, a {@code .post1} as one more. */
public record Version(String text) implements Comparable<Version> {
    private static final int NUMBERS = 5;
    private static final int BITS = 12;
    private static final int LARGEST = (1 << BITS) - 1;

    @Override
    public int compareTo(Version other) {
        return Long.compare(order(), other.order());
    }

    public boolean atLeast(String other) {
        return compareTo(new Version(other)) >= 0;
    }

    /** The first number of each part, 12 bits each. A search compares versions for each layout, so nothing is split. */
    private long order() {
        long order = 0;
        int start = 0;
        for (int part = 0; part < NUMBERS; part++) {
            int end = endOfPart(start);
            order = order << BITS | number(start, end);
            start = end + 1;
        }
        return order;
    }

    private int endOfPart(int start) {
        int end = start;
        while (end < text.length() && text.charAt(end) != '.' && text.charAt(end) != '+') {
            end++;
        }
        return end;
    }

    private int number(int start, int end) {
        int number = 0;
        for (int at = start; at < end; at++) {
            int digit = text.charAt(at) - '0';
            if (digit >= 0 && digit <= 9) {
                number = Math.min(LARGEST, 10 * number + digit);
            } else if (number > 0) {
                break;
            }
        }
        return number;
    }

    @Override
    public String toString() {
        return text;
    }
}
