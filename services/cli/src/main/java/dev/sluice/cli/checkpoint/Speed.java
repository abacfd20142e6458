package dev.sluice.cli.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.time.Duration;
import java.util.Locale;

/** How much was read or copied in which time. */
record Speed(long bytes, Duration elapsed) {
    void json(ObjectNode json) {
        json.put("bytes", bytes);
        json.put("seconds", seconds());
        json.put("bytesPerSecond", Math.round(bytes / seconds()));
    }

    /** Such as {@code 62.4 GB in 31.0 s (2.01 GB/s)}. */
    @Override
    public String toString() {
        return String.format(
                Locale.ROOT,
                "%s in %s (%s)",
                ByteFigures.bytes(bytes),
                seconds() < 60 ? String.format(Locale.ROOT, "%.1f s", seconds()) : ByteFigures.time(elapsed),
                ByteFigures.rate(bytes / seconds()));
    }

    private double seconds() {
        return Math.max(1, elapsed.toMillis()) / 1000.0;
    }
}
