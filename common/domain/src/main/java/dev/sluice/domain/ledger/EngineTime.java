package dev.sluice.domain.ledger;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.TimeSpan;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What one engine did, from its own events, which come in their order. */
final class EngineTime {
    private final Spans generating = new Spans();
    private final Spans syncing = new Spans();
    private @Nullable Instant launched;
    private @Nullable Instant ready;

    void apply(EngineReady event, Instant at) {
        if (ready == null) { // later ones only repeat it under another assignment
            ready = at;
            launched = before(at, event.seconds());
        }
    }

    void apply(WeightsLoaded event, Instant at) {
        syncing.add(new TimeSpan(before(at, event.seconds()), at));
    }

    void generated(List<TimeSpan> spans) {
        spans.forEach(generating::add);
    }

    private static Instant before(Instant at, double seconds) {
        return at.minusNanos(Math.round(Math.max(0, seconds) * 1e9));
    }

    /** When it was started, which is a little before its process had an address to tell. */
    Instant began(Instant told) {
        return launched == null || told.isBefore(launched) ? told : launched;
    }

    /**
     * How it spent this life. What was reported beyond it, by clocks that disagree, is left out; what it loads before it is ready
     * is part of its start.
     *
     * @param taken when the worker used its seats, which is counted there
     * @param standstills times in which its run's engines were to stand still
     */
    TimeBuckets spent(TimeSpan life, Spans taken, Spans standstills) {
        double all = TimeBuckets.seconds(life.length()) - taken.within(life);
        if (ready == null || !ready.isBefore(life.ended())) {
            return new TimeBuckets(0, 0, 0, 0, 0, all, 0, 0);
        }
        Instant from = ready.isAfter(life.began()) ? ready : life.began();
        TimeSpan work = new TimeSpan(from, life.ended());
        // Each moment is what stands first: the worker's, syncing, generating, hand-over, waiting.
        Spans synced = taken.plus(syncing);
        Spans generated = synced.plus(generating);
        Spans still = generated.plus(standstills);
        double rest = TimeBuckets.seconds(work.length());
        return new TimeBuckets(
                generated.within(work) - synced.within(work),
                rest - still.within(work),
                still.within(work) - generated.within(work),
                0,
                synced.within(work) - taken.within(work),
                all - (rest - taken.within(work)),
                0,
                0);
    }
}
