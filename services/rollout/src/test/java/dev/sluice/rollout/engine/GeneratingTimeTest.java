package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TimeSpan;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class GeneratingTimeTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private Instant now = NOON;
    private final GeneratingTime time = new GeneratingTime(() -> now);

    @Test
    void isTakenOnceUpToNow() {
        time.is(true);
        at(2);
        time.is(false);
        at(5);
        time.is(true);
        at(7);

        assertThat(time.take()).containsExactly(span(0, 2), span(5, 7));
        at(8);
        time.is(false);
        assertThat(time.take()).containsExactly(span(7, 8));
        assertThat(time.take()).isEmpty();
    }

    @Test
    void goesOnWhileMoreSamplesComeAndGo() {
        time.is(true);
        at(1);
        time.is(true);
        at(3);
        time.is(false);

        assertThat(time.take()).containsExactly(span(0, 3));
    }

    @Test
    void isNothingWhereTheClockWasSetBack() {
        time.is(true);
        at(-60);
        time.is(false);

        assertThat(time.take()).isEmpty();
    }

    private void at(int seconds) {
        now = NOON.plusSeconds(seconds);
    }

    private static TimeSpan span(int began, int ended) {
        return new TimeSpan(NOON.plusSeconds(began), NOON.plusSeconds(ended));
    }
}
