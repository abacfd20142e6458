package dev.sluice.trainer.handover;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.trainer.dispatch.RolloutPool;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The rollout instances of a run at one moment: who is awaited in a phase, who has come to it, and which engines wait for
 * weights.
 *
 * @param number of the phase; 0 before the first
 * @param places in the order of the assignment, which is that of GPUs
 */
record Muster(int number, List<Place> places) {

    /**
     * An instance of the newest assignment.
     *
     * @param snapshot what it said last of itself; absent where it was never heard of
     * @param answer what it said last of a phase
     */
    record Place(
            RolloutShare share,
            @Nullable InstanceSnapshot snapshot,
            @Nullable PhaseReached answer) {

        boolean isAlive(Instant now, Duration silence) {
            return snapshot != null
                    && snapshot.incarnation().equals(share.incarnation())
                    && snapshot.state() != State.STOPPED
                    && snapshot.heartbeat().plus(silence).isAfter(now);
        }

        /** Whether it has ended in order, and its engines with it. What only fell silent may have left engines with memory. */
        boolean hasEnded() {
            return snapshot != null
                    && snapshot.incarnation().equals(share.incarnation())
                    && snapshot.state() == State.STOPPED;
        }

        boolean hasReached(int number) {
            return answer != null && answer.incarnation().equals(share.incarnation()) && answer.number() == number;
        }
    }

    static Muster of(RolloutPool pool, String runId, List<RolloutShare> shares, int number) {
        return new Muster(
                number,
                shares.stream()
                        .map(share -> new Place(
                                share,
                                pool.snapshot(share.instanceId()).orElse(null),
                                pool.answer(runId, share.instanceId()).orElse(null)))
                        .toList());
    }

    /** Those whose engines may still hold memory of shared GPUs: all that have neither come nor ended. */
    List<String> holding() {
        return missing(places.stream().filter(place -> !place.hasEnded()));
    }

    /** Those that live and have not come. */
    List<String> late(Instant now, Duration silence) {
        return missing(places.stream().filter(place -> place.isAlive(now, silence)));
    }

    private List<String> missing(Stream<Place> awaited) {
        return awaited.filter(place -> !place.hasReached(number))
                .map(place -> place.share().instanceId())
                .toList();
    }

    /** Engines of those that have come, in the order of their GPUs. */
    List<EnginePlace> engines() {
        return places.stream()
                .filter(place -> place.hasReached(number))
                .flatMap(place -> place.answer() == null ? Stream.of() : place.answer().engines().stream())
                .toList();
    }

    /** Whether an engine of an instance that lives waits for the worker to give it weights. */
    boolean isLacking(Instant now, Duration silence) {
        return places.stream()
                .filter(place -> place.hasReached(number) && place.isAlive(now, silence))
                .flatMap(place -> place.answer() == null ? Stream.of() : place.answer().engines().stream())
                .anyMatch(EnginePlace::lacksWeights);
    }

    /** How it stands, for people. */
    String situation(List<String> missing) {
        return "%d of %d instances have answered; missing: %s"
                .formatted(
                        places.stream()
                                .filter(place -> place.hasReached(number))
                                .count(),
                        places.size(),
                        missing.stream().map(this::lastHeard).collect(Collectors.joining(", ")));
    }

    private String lastHeard(String instanceId) {
        return places.stream()
                .filter(place -> place.share().instanceId().equals(instanceId))
                .map(Place::snapshot)
                .map(snapshot -> snapshot == null ? " (never heard of)" : "")
                .findFirst()
                .map(heard -> instanceId + heard)
                .orElse(instanceId);
    }
}
