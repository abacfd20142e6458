package dev.sluice.domain.ledger;

import dev.sluice.events.TimeSpan;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An instance's engines in a run: seats that it was assigned, and processes that were in them. */
final class Pool {
    private final TimeSpan run;
    private final int seatsEach;
    private final List<Change> changes = new ArrayList<>();
    private final List<Life> lives = new ArrayList<>();
    private int assigned;

    private record Change(Instant at, int engines, int processes) {}

    private record Life(EngineTime engine, TimeSpan span) {}

    /** @param taken by its engines: those it was assigned, and processes beyond them */
    private record Stretch(TimeSpan span, int empty, int taken) {}

    /** @param seatsEach of one engine on this instance */
    Pool(TimeSpan run, int seatsEach) {
        this.run = run;
        this.seatsEach = seatsEach;
    }

    /** In the order of time. */
    void assigned(Instant at, int engines) {
        changes.add(new Change(clipped(at), engines - assigned, 0));
        assigned = engines;
    }

    /** @param ended null while it lives */
    void lived(EngineTime engine, Instant began, @Nullable Instant ended) {
        Instant from = clipped(began);
        Instant until = ended == null ? run.ended() : clipped(ended);
        if (until.isAfter(from)) {
            lives.add(new Life(engine, new TimeSpan(from, until)));
            changes.add(new Change(from, 0, 1));
            changes.add(new Change(until, 0, -1));
        }
    }

    private Instant clipped(Instant moment) {
        if (moment.isBefore(run.began())) {
            return run.began();
        }
        return moment.isAfter(run.ended()) ? run.ended() : moment;
    }

    private List<Stretch> stretches() {
        List<Change> inOrder = new ArrayList<>(changes);
        inOrder.sort(Comparator.comparing(Change::at));
        inOrder.add(new Change(run.ended(), 0, 0));
        List<Stretch> stretches = new ArrayList<>();
        int engines = 0;
        int processes = 0;
        Instant last = run.began();
        for (Change change : inOrder) {
            if (change.at().isAfter(last)) {
                stretches.add(new Stretch(
                        new TimeSpan(last, change.at()),
                        Math.max(0, engines - processes),
                        Math.max(engines, processes)));
                last = change.at();
            }
            engines += change.engines();
            processes += change.processes();
        }
        return stretches;
    }

    /**
     * How the seats were used, those without a process being down.
     *
     * @param taken when the worker used them, which is counted there
     * @param standstills times in which engines were to stand still
     */
    TimeBuckets spent(Spans taken, Spans standstills) {
        TimeBuckets sum = TimeBuckets.NONE;
        for (Life life : lives) {
            sum = sum.plus(life.engine().spent(life.span(), taken, standstills));
        }
        double empty = 0;
        for (Stretch stretch : stretches()) {
            empty += stretch.empty() * (TimeBuckets.seconds(stretch.span().length()) - taken.within(stretch.span()));
        }
        return sum.plus(TimeBuckets.down(empty)).times(seatsEach);
    }

    /** Its seats are not counted as others' too. */
    void takeFrom(SeatCount others) {
        for (Stretch stretch : stretches()) {
            others.change(stretch.span().began(), -stretch.taken() * seatsEach);
            others.change(stretch.span().ended(), stretch.taken() * seatsEach);
        }
    }
}
