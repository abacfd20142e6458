package dev.sluice.cli.plan;

import dev.sluice.cli.Wrapped;
import java.util.Locale;

/** Numbers as a person reads them, in the same words in every language; no line breaks before a unit. */
final class Figures {
    private static final String[] THOUSANDS = {"", " k", " M", " B", " T"};

    private Figures() {}

    /** GiB without the unit. */
    static String gib(double gib) {
        return String.format(Locale.ROOT, gib >= 100 ? "%,.0f" : gib >= 1 || gib == 0 ? "%.1f" : "%.2f", gib);
    }

    static String seconds(double seconds) {
        return unbroken(String.format(Locale.ROOT, seconds >= 10 ? "%,.0f s" : "%.1f s", seconds));
    }

    /** Every digit: {@code 202,752}. */
    static String exact(long number) {
        return String.format(Locale.ROOT, "%,d", number);
    }

    /** Three digits: {@code 29.9 B} for 29,943,390,976. */
    static String rounded(double number) {
        double left = number;
        int thousands = 0;
        // 999.5 would be shown as 1000.
        while (left >= 999.5 && thousands < THOUSANDS.length - 1) {
            left /= 1000;
            thousands++;
        }
        String format = thousands == 0 || left >= 99.95 ? "%,.0f%s" : left >= 9.995 ? "%.1f%s" : "%.2f%s";
        return unbroken(String.format(Locale.ROOT, format, left, THOUSANDS[thousands]));
    }

    /** {@code 1 node} or {@code 3 nodes}. */
    static String some(int number, String one) {
        return number == 1 ? "1 " + one : exact(number) + " " + one + "s";
    }

    private static String unbroken(String figure) {
        return figure.replace(' ', Wrapped.HARD_SPACE);
    }
}
