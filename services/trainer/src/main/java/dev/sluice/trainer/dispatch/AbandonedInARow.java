package dev.sluice.trainer.dispatch;

import dev.sluice.events.GroupEvent;
import java.time.Duration;
import java.time.Instant;

/**
 * Groups that instances gave up, one after the other: what every engine refuses, such as prompts beyond its context, is not
 * asked for without a pause. One sampled group ends it.
 */
final class AbandonedInARow {
    /** Fewer can be a bad moment. */
    static final int MANY = 32;

    static final Duration PAUSE = Duration.ofSeconds(10);

    private int count;
    private Instant newest = Instant.MIN;
    private String reason = "";

    void take(GroupEvent event, Instant now) {
        if (event instanceof GroupEvent.GroupAbandoned abandoned) {
            count++;
            newest = now;
            reason = abandoned.reason();
        } else if (event instanceof GroupEvent.GroupSampled) {
            count = 0;
        }
    }

    boolean holdsBack(Instant now) {
        return count >= MANY && now.isBefore(newest.plus(PAUSE));
    }

    /** For people; empty while nothing is odd. */
    String situation() {
        return count < MANY
                ? ""
                : "; the last %d groups were abandoned, so that others are asked for only every %d s: %s"
                        .formatted(count, PAUSE.toSeconds(), reason);
    }
}
