package dev.sluice.domain.ledger;

import dev.sluice.events.TimeSpan;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** How many seats there are of a kind, as it changes. */
final class SeatCount {
    private final List<Change> changes = new ArrayList<>();

    private record Change(Instant at, int by) {}

    void change(Instant at, int by) {
        changes.add(new Change(at, by));
        changes.sort(Comparator.comparing(Change::at));
    }

    /** Seat-seconds of a time; a count below zero is none. */
    double seconds(TimeSpan span) {
        double seconds = 0;
        int count = 0;
        Instant last = span.began();
        for (Change change : changes) {
            Instant at = change.at().isAfter(span.ended()) ? span.ended() : change.at();
            if (at.isAfter(last)) {
                seconds += Math.max(0, count) * TimeBuckets.seconds(Duration.between(last, at));
                last = at;
            }
            count += change.by();
        }
        return seconds + Math.max(0, count) * TimeBuckets.seconds(Duration.between(last, span.ended()));
    }
}
