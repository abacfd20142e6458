package dev.sluice.cli.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.cli.Terminal;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TransferProgressTest {
    private static final long TOTAL = 62_000_000_000L;

    private final StringWriter out = new StringWriter();
    private final AtomicLong nanos = new AtomicLong(5_000_000_000L);

    @Test
    void onATerminalABarIsWrittenOverWithRateAndTimeLeft() {
        // Given
        TransferProgress progress = progress(true);

        // When a quarter is copied in ten seconds
        advance(Duration.ofSeconds(10));
        progress.at(15_500_000_000L, TOTAL);

        // Then
        String line = out.toString().replace("\r\u001b[K", "");
        assertThat(line)
                .isEqualTo("converting ████···············  25 %  15.5 GB of 62.0 GB  1.55 GB/s  30 s left")
                .hasSizeLessThan(80);
        assertThat(out.toString()).startsWith("\r\u001b[K").doesNotContain("\n");
    }

    @Test
    void itIsNotDrawnMoreOftenThanAPersonSees() {
        TransferProgress progress = progress(true);
        for (int i = 1; i <= 100; i++) {
            advance(Duration.ofMillis(10));
            progress.at(i, 1000);
        }

        assertThat(out.toString().split("\r")).hasSize(5);
    }

    @Test
    void elsewhereALineComesEveryFewSeconds() {
        TransferProgress progress = progress(false);
        for (int i = 1; i <= 12; i++) {
            advance(Duration.ofSeconds(1));
            progress.at(i * 1_000_000_000L, TOTAL);
        }

        assertThat(out.toString().lines())
                .containsExactly(
                        "converting   8 %  5.00 GB of 62.0 GB  1.00 GB/s  57 s left",
                        "converting  16 %  10.0 GB of 62.0 GB  1.00 GB/s  52 s left");
    }

    @Test
    void theRateIsThatOfTheLastSeconds() {
        // Given a disk whose cache is full after a minute
        TransferProgress progress = progress(false);
        for (int i = 0; i < 12; i++) {
            advance(Duration.ofSeconds(5));
            progress.at((i + 1) * 4_000_000_000L, TOTAL);
        }

        // When it goes on at a tenth of the pace
        for (int i = 0; i < 3; i++) {
            advance(Duration.ofSeconds(5));
            progress.at(48_000_000_000L + (i + 1) * 400_000_000L, TOTAL);
        }

        // Then
        assertThat(out.toString().lines().reduce((first, last) -> last).orElseThrow())
                .contains("80.0 MB/s", "2 min 40 s left");
    }

    @Test
    void workThatIsOverAtOnceShowsNothing() {
        TransferProgress progress = progress(true);
        advance(Duration.ofMillis(100));
        progress.at(TOTAL, TOTAL);

        assertThat(out.toString()).isEmpty();
        assertThat(progress.elapsed()).isEqualTo(Duration.ofMillis(100));
    }

    @Test
    void noProgressIsSaid() {
        TransferProgress progress = progress(false);
        advance(Duration.ofSeconds(6));
        progress.at(0, TOTAL);

        assertThat(out.toString()).contains("0 B/s  stalled");
    }

    private void advance(Duration time) {
        nanos.addAndGet(time.toNanos());
    }

    private TransferProgress progress(boolean interactive) {
        PrintWriter writer = new PrintWriter(out, true);
        return new TransferProgress(new Terminal(writer, writer, interactive), "converting", nanos::get);
    }
}
