package dev.sluice.events;

import java.time.Duration;
import java.time.Instant;

/** A time without a break, by the clock of the host that saw it. */
@About("A time without a break")
public record TimeSpan(
        @About("Its beginning") Instant began,
        @About("Its end") Instant ended) {
    public TimeSpan {
        if (ended.isBefore(began)) {
            throw new IllegalArgumentException("a time from %s to %s, which is before".formatted(began, ended));
        }
    }

    public Duration length() {
        return Duration.between(began, ended);
    }
}
