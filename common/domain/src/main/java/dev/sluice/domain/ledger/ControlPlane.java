package dev.sluice.domain.ledger;

import dev.sluice.events.EngineEvent.EngineWorked;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Event;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.events.TrainingEvent.WorkerWorked;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Measures the control plane: for each step the time from the end of the step before to its own end, less the union of the times in
 * which an engine generated, an engine loaded weights, or the worker did anything. A projection of the run's topics, each in its
 * order; steps during which a trainer began are left out. Not for several threads.
 */
public final class ControlPlane {
    /** Newest steps that are kept. */
    private static final int MAX_STEPS = 1000;

    private final String runId;
    private final TreeMap<Integer, Instant> completed = new TreeMap<>();
    private final TreeSet<Instant> beginnings = new TreeSet<>();
    private final TreeSet<Busy> busy = new TreeSet<>(
            Comparator.comparing(Busy::began).thenComparing(Busy::ended).thenComparing(Busy::what));

    /** What a time without work ended with. */
    private enum Cause {
        /** Groups reached an engine. */
        DISPATCH,
        /** A batch reached the worker. */
        BATCH,
        /** The worker was asked for weights. */
        EXPORT,
        /** Weights reached an engine. */
        PUBLICATION,
        /** The worker was asked for a cut. */
        CUT,
        /** The step stood in the log. */
        STEP
    }

    private record Busy(Instant began, Instant ended, Cause what) {}

    public ControlPlane(String runId) {
        this.runId = runId;
    }

    /** @param at when it was written */
    public void apply(Event event, Instant at) {
        if (!event.runId().equals(runId)) {
            return;
        }
        switch (event) {
            case EngineWorked worked -> worked.generating().forEach(span -> add(span, Cause.DISPATCH));
            case WeightsLoaded loaded ->
                busy.add(new Busy(at.minusNanos((long) (loaded.seconds() * 1e9)), at, Cause.PUBLICATION));
            case WorkerWorked worked -> worked.calls().forEach(call -> add(call.span(), cause(call.activity())));
            case StepCompleted step -> complete(step.step(), at);
            case TrainerReady ready -> beginnings.add(at);
            default -> {}
        }
    }

    private void add(TimeSpan span, Cause cause) {
        busy.add(new Busy(span.began(), span.ended(), cause));
    }

    private static Cause cause(Activity activity) {
        return switch (activity) {
            case LOADING, TRAINING -> Cause.BATCH;
            case SYNCING -> Cause.EXPORT;
            case SAVING -> Cause.CUT;
        };
    }

    private void complete(int step, Instant at) {
        completed.putIfAbsent(step, at);
        if (completed.size() > MAX_STEPS) {
            completed.pollFirstEntry();
            Instant oldest = completed.firstEntry().getValue();
            while (!busy.isEmpty() && busy.first().ended().isBefore(oldest)) {
                busy.pollFirst();
            }
        }
    }

    /** Medians over the steps; empty where no step was measured. */
    public Optional<ControlPlaneTime> time() {
        List<Busy> union = union();
        List<Map<Cause, Duration>> idle = new ArrayList<>();
        List<Double> lengths = new ArrayList<>();
        for (Map.Entry<Integer, Instant> step : completed.entrySet()) {
            Instant from = completed.get(step.getKey() - 1);
            if (from != null && from.isBefore(step.getValue()) && noneBegan(from, step.getValue())) {
                idle.add(idle(union, from, step.getValue()));
                lengths.add(millis(Duration.between(from, step.getValue())));
            }
        }
        if (idle.isEmpty()) {
            return Optional.empty();
        }
        Map<String, Double> byCause = new LinkedHashMap<>();
        for (Cause cause : Cause.values()) {
            byCause.put(
                    cause.name().toLowerCase(Locale.ROOT),
                    median(idle.stream()
                            .map(step -> millis(step.getOrDefault(cause, Duration.ZERO)))
                            .toList()));
        }
        double all = median(idle.stream()
                .map(step -> millis(step.values().stream().reduce(Duration.ZERO, Duration::plus)))
                .toList());
        return Optional.of(new ControlPlaneTime(idle.size(), median(lengths), all, byCause));
    }

    private boolean noneBegan(Instant from, Instant until) {
        return beginnings.subSet(from, until).isEmpty();
    }

    /** Times in which somebody worked, apart from each other, each with what it began with. */
    private List<Busy> union() {
        List<Busy> union = new ArrayList<>();
        for (Busy work : busy) {
            if (union.isEmpty() || work.began().isAfter(union.getLast().ended())) {
                union.add(work);
            } else if (work.ended().isAfter(union.getLast().ended())) {
                Busy grown = union.removeLast();
                union.add(new Busy(grown.began(), work.ended(), grown.what()));
            }
        }
        return union;
    }

    private static Map<Cause, Duration> idle(List<Busy> union, Instant from, Instant until) {
        Map<Cause, Duration> idle = new EnumMap<>(Cause.class);
        Instant reached = from;
        for (int i = firstAfter(union, from);
                i < union.size() && union.get(i).began().isBefore(until);
                i++) {
            Busy work = union.get(i);
            if (work.began().isAfter(reached)) {
                idle.merge(work.what(), Duration.between(reached, work.began()), Duration::plus);
            }
            reached = work.ended();
        }
        if (reached.isBefore(until)) {
            idle.merge(Cause.STEP, Duration.between(reached, until), Duration::plus);
        }
        return idle;
    }

    /** Index of the first that ends after a moment. */
    private static int firstAfter(List<Busy> union, Instant moment) {
        int low = 0;
        int high = union.size();
        while (low < high) {
            int middle = (low + high) >>> 1;
            if (union.get(middle).ended().isAfter(moment)) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        return low;
    }

    private static double millis(Duration time) {
        return time.toNanos() / 1e6;
    }

    private static double median(List<Double> values) {
        double[] sorted =
                values.stream().mapToDouble(Double::doubleValue).sorted().toArray();
        int middle = sorted.length / 2;
        return sorted.length % 2 == 1
                ? sorted[middle]
                : Arrays.stream(sorted, middle - 1, middle + 1).sum() / 2;
    }
}
