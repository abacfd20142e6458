package dev.sluice.domain.ledger;

import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.WorkerTime;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The seat of a run's worker: its calls come in the order of the run's log, one after the other. */
final class WorkerSeatTime {
    private final Map<Activity, Duration> worked = new EnumMap<>(Activity.class);
    private Duration waiting = Duration.ZERO;
    private Duration down = Duration.ZERO;
    private @Nullable Instant first;
    private @Nullable Instant last;
    private @Nullable Activity before;

    void apply(WorkerTime call) {
        Instant began = call.span().began();
        Instant ended = call.span().ended();
        if (first == null || last == null) {
            first = began;
            last = began;
        }
        if (!ended.isAfter(last)) {
            return;
        }
        if (began.isAfter(last)) {
            // Before a worker is started there was none, or one that had failed.
            boolean starts = call.activity() == Activity.LOADING && before != Activity.LOADING;
            Duration gap = Duration.between(last, began);
            down = starts ? down.plus(gap) : down;
            waiting = starts ? waiting : waiting.plus(gap);
        } else {
            began = last;
        }
        worked.merge(call.activity(), Duration.between(began, ended), Duration::plus);
        last = ended;
        before = call.activity();
    }

    /**
     * How the seat was used.
     *
     * @param over the run has ended: after its last call the worker was stopped
     */
    TimeBuckets spent(Instant from, Instant until, boolean over) {
        if (first == null || last == null) {
            return TimeBuckets.down(TimeBuckets.seconds(Duration.between(from, until)));
        }
        double trailing = Math.max(0, TimeBuckets.seconds(Duration.between(last, until)));
        double leading = Math.max(0, TimeBuckets.seconds(Duration.between(from, first)));
        return new TimeBuckets(
                0,
                TimeBuckets.seconds(waiting) + (over ? 0 : trailing),
                0,
                of(Activity.TRAINING),
                of(Activity.SYNCING),
                of(Activity.LOADING),
                of(Activity.SAVING),
                TimeBuckets.seconds(down) + leading + (over ? trailing : 0));
    }

    private double of(Activity activity) {
        return TimeBuckets.seconds(worked.getOrDefault(activity, Duration.ZERO));
    }
}
