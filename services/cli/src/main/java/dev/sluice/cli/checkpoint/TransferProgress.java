package dev.sluice.cli.checkpoint;

import dev.sluice.cli.Terminal;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * How far a long read or copy has come: a bar that is written over on a terminal, else a line every few seconds. Work that is over at once shows nothing.
 */
final class TransferProgress {
    private static final Duration TERMINAL_PERIOD = Duration.ofMillis(250);
    private static final Duration PLAIN_PERIOD = Duration.ofSeconds(5);

    /** The rate is that of the last seconds, so that it follows a disk that slows down when its cache is full. */
    private static final Duration RATE_WINDOW = Duration.ofSeconds(10);

    private static final int MIN_BAR = 8;
    private static final int MAX_BAR = 40;

    private final Terminal terminal;
    private final String verb;
    private final LongSupplier nanoClock;
    private final long startedAt;
    private final Deque<Sample> samples = new ArrayDeque<>();
    private long shownAt;
    private long bytesDone;

    private record Sample(long at, long bytesDone) {}

    /**
     * @param verb what is done, such as {@code converting}
     * @param nanoClock as {@link System#nanoTime}
     */
    TransferProgress(Terminal terminal, String verb, LongSupplier nanoClock) {
        this.terminal = terminal;
        this.verb = verb;
        this.nanoClock = nanoClock;
        startedAt = nanoClock.getAsLong();
        shownAt = startedAt;
        samples.add(new Sample(startedAt, 0));
    }

    /** To be called often, from any thread. */
    synchronized void at(long done, long total) {
        long now = nanoClock.getAsLong();
        bytesDone = Math.max(bytesDone, done);
        Duration period = terminal.interactive() ? TERMINAL_PERIOD : PLAIN_PERIOD;
        if (now - shownAt < period.toNanos()) {
            return;
        }
        shownAt = now;
        samples.add(new Sample(now, bytesDone));
        while (samples.size() > 2 && now - samples.getFirst().at() > RATE_WINDOW.toNanos()) {
            samples.removeFirst();
        }
        terminal.progress(line(now, total));
    }

    synchronized Duration elapsed() {
        return Duration.ofNanos(nanoClock.getAsLong() - startedAt);
    }

    private String line(long now, long total) {
        Sample from = samples.getFirst();
        double rate = (bytesDone - from.bytesDone()) * 1e9 / Math.max(1, now - from.at());
        double part = total == 0 ? 1 : Math.min(1, (double) bytesDone / total);
        String left = rate > 0
                ? ByteFigures.time(Duration.ofMillis((long) ((total - bytesDone) / rate * 1000))) + " left"
                : "stalled";
        String figures = "%3d %%  %s of %s  %s  %s"
                .formatted(
                        (int) (part * 100),
                        ByteFigures.bytes(bytesDone),
                        ByteFigures.bytes(total),
                        ByteFigures.rate(rate),
                        left);
        return terminal.interactive() ? verb + " " + bar(part, figures.length()) + figures : verb + " " + figures;
    }

    private String bar(double part, int figures) {
        int room = Math.min(MAX_BAR, terminal.columns() - verb.length() - figures - 4);
        if (room < MIN_BAR) {
            return "";
        }
        int full = (int) (part * room);
        return "█".repeat(full) + "·".repeat(room - full) + " ";
    }
}
