package dev.sluice.cli.checkpoint;

import java.time.Duration;
import java.util.Locale;
import java.util.Map;

/** Amounts of data and times as a person reads them; decimal units, as disks are sold. */
final class ByteFigures {
    private static final String[] UNITS = {"B", "kB", "MB", "GB", "TB", "PB"};
    private static final Map<String, Long> FACTORS = Map.of(
            "", 1L, "K", 1000L, "M", 1_000_000L, "G", 1_000_000_000L, "KI", 1L << 10, "MI", 1L << 20, "GI", 1L << 30);

    private ByteFigures() {}

    /** Three digits: {@code 62.4 GB}. */
    static String bytes(double bytes) {
        double left = bytes;
        int unit = 0;
        // 999.5 would be shown as 1000.
        while (left >= 999.5 && unit < UNITS.length - 1) {
            left /= 1000;
            unit++;
        }
        String format = unit == 0 || left >= 99.95 ? "%.0f %s" : left >= 9.995 ? "%.1f %s" : "%.2f %s";
        return String.format(Locale.ROOT, format, left, UNITS[unit]);
    }

    /** {@code 1.92 GB/s}. */
    static String rate(double bytesPerSecond) {
        return bytes(bytesPerSecond) + "/s";
    }

    /** The two largest units: {@code 18 s}, {@code 2 min 5 s}, {@code 1 h 3 min}. */
    static String time(Duration time) {
        long seconds = Math.round(time.toMillis() / 1000.0);
        if (seconds < 60) {
            return seconds + " s";
        }
        return seconds < 3600
                ? "%d min %d s".formatted(seconds / 60, seconds % 60)
                : "%d h %d min".formatted(seconds / 3600, seconds % 3600 / 60);
    }

    /**
     * Reads {@code 5000000000}, {@code 5GB} or {@code 4GiB}.
     *
     * @throws NumberFormatException if it is none, or not positive
     */
    static long parse(String text) {
        String upper = text.strip().replace("_", "").toUpperCase(Locale.ROOT);
        String number = upper.replaceFirst("[A-Z]*$", "");
        Long factor = FACTORS.get(upper.substring(number.length()).replaceFirst("B$", ""));
        if (factor == null || !number.matches("\\d{1,12}") || Long.parseLong(number) == 0) {
            throw new NumberFormatException(text + " is no number of bytes such as 5GB, 4GiB or 5000000000");
        }
        return Math.multiplyExact(Long.parseLong(number), factor);
    }
}
