package dev.sluice.cli.run;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.kafka.EventRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Engines of one run that die, and how long it takes until the engine that follows in the same instance has sampled. Says
 * whom to kill next; kills nobody itself. For several threads.
 */
final class EngineDeaths {
    private final String runId;
    private final int wanted;
    private final Map<String, Seat> seats = new HashMap<>();
    private final List<Duration> untilSampled = new ArrayList<>();
    private int killed;

    /** The engine of an instance; demos give each instance one. */
    private static final class Seat {
        String engineId;
        long pid;
        boolean sampled;

        @Nullable
        Instant diedAt;

        Seat(String engineId, long pid) {
            this.engineId = engineId;
            this.pid = pid;
        }
    }

    /** An engine that has sampled and may die. */
    record Victim(String engineId, long pid) {}

    EngineDeaths(String runId, int wanted) {
        this.runId = runId;
        this.wanted = wanted;
    }

    /** Takes a record of the engines' or groups' topic, each in its order. */
    synchronized void take(EventRecord<Event> record) {
        if (!record.event().runId().equals(runId)) {
            return;
        }
        switch (record.event()) {
            case EngineStarted started
            when started.node() == 0 -> {
                Seat before = seats.get(started.instanceId());
                Seat next = new Seat(started.engineId(), started.pid());
                next.diedAt = before == null ? null : before.diedAt;
                seats.put(started.instanceId(), next);
            }
            case EngineStopped stopped ->
                seats.values().stream()
                        .filter(seat -> seat.engineId.equals(stopped.engineId()))
                        .forEach(seat -> seat.sampled = false);
            case GroupSampled sampled ->
                sampled.samples().stream()
                        .map(Sample::engineId)
                        .distinct()
                        .forEach(engineId -> sampled(engineId, record.time()));
            case EngineEvent other -> {}
            default -> {}
        }
    }

    private void sampled(String engineId, Instant at) {
        for (Seat seat : seats.values()) {
            if (seat.engineId.equals(engineId) && !seat.sampled) {
                seat.sampled = true;
                if (seat.diedAt != null) {
                    untilSampled.add(Duration.between(seat.diedAt, at));
                    seat.diedAt = null;
                }
            }
        }
    }

    /** The next engine to kill, as killed now: one that has sampled, while another one that has goes on. */
    synchronized Optional<Victim> next(Instant now) {
        long alive = seats.values().stream().filter(seat -> seat.sampled).count();
        if (killed >= wanted || alive < Math.min(2, seats.size())) {
            return Optional.empty();
        }
        return seats.values().stream()
                .filter(seat -> seat.sampled && seat.diedAt == null)
                .findFirst()
                .map(seat -> {
                    Victim victim = new Victim(seat.engineId, seat.pid);
                    // What it had sampled may still be on its way: that is not its successor's.
                    seat.engineId = "";
                    seat.sampled = false;
                    seat.diedAt = now;
                    killed++;
                    return victim;
                });
    }

    /** The victim was gone before: it does not count. */
    synchronized void missed() {
        killed--;
    }

    synchronized int killed() {
        return killed;
    }

    /** From each death to the first samples of the engine that followed; a death near the end may have none. */
    synchronized List<Duration> untilSampled() {
        return List.copyOf(untilSampled);
    }
}
