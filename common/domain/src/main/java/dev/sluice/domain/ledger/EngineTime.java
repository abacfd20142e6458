package dev.sluice.domain.ledger;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.TimeSpan;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one engine did, from its own events, which come in their order. */
final class EngineTime {
    private Duration generating = Duration.ZERO;
    private double syncing;
    private @Nullable Instant launched;
    private @Nullable Instant ready;

    void apply(EngineReady event, Instant at) {
        if (ready == null) { // later ones only repeat it under another assignment
            ready = at;
            launched = at.minusNanos((long) (event.seconds() * 1e9));
        }
    }

    void apply(WeightsLoaded event) {
        // What it loads before it is ready is part of its start.
        syncing += ready == null ? 0 : event.seconds();
    }

    void generated(List<TimeSpan> spans) {
        for (TimeSpan span : spans) {
            generating = generating.plus(span.length());
        }
    }

    /** When it was started, which is a little before its process had an address to tell. */
    Instant began(Instant told) {
        return launched == null || told.isBefore(launched) ? told : launched;
    }

    /**
     * How it spent this life. What was reported beyond it, by clocks that disagree, is left out of its generation.
     *
     * @param standstills times in which its run's engines were to stand still
     */
    TimeBuckets spent(TimeSpan life, List<TimeSpan> standstills) {
        double all = TimeBuckets.seconds(life.length());
        if (ready == null || !ready.isBefore(life.ended())) {
            return new TimeBuckets(0, 0, 0, 0, 0, all, 0, 0);
        }
        double loading = Math.max(0, TimeBuckets.seconds(Duration.between(life.began(), ready)));
        double synced = Math.min(syncing, all - loading);
        double generated = Math.min(TimeBuckets.seconds(generating), all - loading - synced);
        double idle = all - loading - synced - generated;
        double still = Math.min(idle, overlap(new TimeSpan(ready, life.ended()), standstills));
        return new TimeBuckets(generated, idle - still, still, 0, synced, loading, 0, 0);
    }

    private static double overlap(TimeSpan life, List<TimeSpan> standstills) {
        double seconds = 0;
        for (TimeSpan still : standstills) {
            Instant from = still.began().isAfter(life.began()) ? still.began() : life.began();
            Instant until = still.ended().isBefore(life.ended()) ? still.ended() : life.ended();
            seconds += Math.max(0, TimeBuckets.seconds(Duration.between(from, until)));
        }
        return seconds;
    }
}
