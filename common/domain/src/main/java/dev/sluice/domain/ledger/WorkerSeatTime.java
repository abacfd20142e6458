package dev.sluice.domain.ledger;

import dev.sluice.events.TimeSpan;
import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.WorkerTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The seats of a run's worker: its calls come in the order of the run's log, one after the other. */
final class WorkerSeatTime {
    private final List<Call> calls = new ArrayList<>();

    /** @param starts whether a worker is started by it: before it there was none, or one that had failed */
    private record Call(Activity activity, TimeSpan span, boolean starts) {}

    void apply(WorkerTime call) {
        Call before = calls.isEmpty() ? null : calls.getLast();
        Instant began = call.span().began();
        if (before != null && before.span().ended().isAfter(began)) {
            began = before.span().ended();
        }
        if (call.span().ended().isAfter(began)) {
            boolean starts =
                    call.activity() == Activity.LOADING && (before == null || before.activity() != Activity.LOADING);
            calls.add(new Call(call.activity(), new TimeSpan(began, call.span().ended()), starts));
        }
    }

    /** When it did anything. */
    Spans busy() {
        return Spans.of(calls.stream().map(Call::span).toList());
    }

    /**
     * How the seats were used.
     *
     * @param over the run has ended: after its last call the worker was stopped
     * @param seats of a call
     * @param idle seat-seconds of a time between calls that count for the worker
     */
    TimeBuckets spent(TimeSpan run, boolean over, int seats, ToDoubleFunction<TimeSpan> idle) {
        Map<Activity, Double> worked = new EnumMap<>(Activity.class);
        double waiting = 0;
        double down = 0;
        Instant last = run.began();
        @Nullable Call before = null;
        for (Call call : calls) {
            Instant began = clipped(call.span().began(), run);
            Instant ended = clipped(call.span().ended(), run);
            double gap = idle.applyAsDouble(new TimeSpan(last, began));
            boolean absent = before == null || call.starts();
            down += absent ? gap : 0;
            waiting += absent ? 0 : gap;
            worked.merge(
                    call.activity(), seats * TimeBuckets.seconds(new TimeSpan(began, ended).length()), Double::sum);
            last = ended;
            before = call;
        }
        double trailing = idle.applyAsDouble(new TimeSpan(last, run.ended()));
        boolean stopped = over || before == null;
        return new TimeBuckets(
                0,
                waiting + (stopped ? 0 : trailing),
                0,
                worked.getOrDefault(Activity.TRAINING, 0.0),
                worked.getOrDefault(Activity.SYNCING, 0.0),
                worked.getOrDefault(Activity.LOADING, 0.0),
                worked.getOrDefault(Activity.SAVING, 0.0),
                down + (stopped ? trailing : 0));
    }

    private static Instant clipped(Instant moment, TimeSpan run) {
        if (moment.isBefore(run.began())) {
            return run.began();
        }
        return moment.isAfter(run.ended()) ? run.ended() : moment;
    }
}
