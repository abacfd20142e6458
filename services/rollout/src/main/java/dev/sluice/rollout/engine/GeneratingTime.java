package dev.sluice.rollout.engine;

import dev.sluice.events.TimeSpan;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** When an engine generated. Used on the core's thread. */
final class GeneratingTime {
    private final InstantSource clock;
    private final List<TimeSpan> spans = new ArrayList<>();
    private @Nullable Instant since;

    GeneratingTime(InstantSource clock) {
        this.clock = clock;
    }

    /** Takes whether it generates from now on. */
    void is(boolean generating) {
        if (generating && since == null) {
            since = clock.instant();
        } else if (!generating && since != null) {
            add(since, clock.instant());
            since = null;
        }
    }

    /** What was not taken before, up to now. */
    List<TimeSpan> take() {
        if (since != null) {
            Instant now = clock.instant();
            add(since, now);
            since = now;
        }
        List<TimeSpan> taken = List.copyOf(spans);
        spans.clear();
        return taken;
    }

    private void add(Instant began, Instant ended) {
        // A clock that was set back has measured nothing.
        if (ended.isAfter(began)) {
            spans.add(new TimeSpan(began, ended));
        }
    }
}
