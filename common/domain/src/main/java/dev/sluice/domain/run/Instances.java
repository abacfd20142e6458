package dev.sluice.domain.run;

import dev.sluice.events.Backend;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.InstanceSnapshot.State;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What is known of the instances: a cache of their snapshots, with the time each was seen. Three missed heartbeats, and
 * an instance is lost. Not for several threads.
 */
public final class Instances {
    /** Age of a heartbeat above which its instance is lost: three of two seconds each. */
    public static final Duration HEARTBEAT_LIMIT = Duration.ofSeconds(6);

    /** Time between two ticks above which this process itself was held up, so that old heartbeats prove nothing. */
    static final Duration TICK_GAP = Duration.ofSeconds(3);

    /** How long nobody is declared lost after such a gap: one heartbeat and its delay. */
    static final Duration PATIENCE = Duration.ofSeconds(4);

    private final Map<String, Seen> instances = new TreeMap<>();
    private Instant patientUntil = Instant.EPOCH;
    private @Nullable Instant lastTick;

    private record Seen(InstanceSnapshot snapshot, Instant at) {}

    /**
     * Takes a snapshot.
     *
     * @param at when the instance was alive at the latest: now for a live record, its heartbeat for an old one
     * @return whether more changed than the heartbeat
     */
    public boolean observe(InstanceSnapshot snapshot, Instant at) {
        Seen before = instances.put(snapshot.instanceId(), new Seen(snapshot, at));
        return before == null
                || !before.snapshot().incarnation().equals(snapshot.incarnation())
                || before.snapshot().state() != snapshot.state()
                || before.snapshot().slots() != snapshot.slots()
                || before.at().plus(HEARTBEAT_LIMIT).isBefore(at);
    }

    /** To be called at every tick, and before anything is decided. */
    public void tick(Instant now) {
        if (lastTick == null || lastTick.plus(TICK_GAP).isBefore(now)) {
            patientUntil = now.plus(PATIENCE);
        }
        lastTick = now;
    }

    /** The newest snapshot of an instance, whether it lives or not. */
    Optional<InstanceSnapshot> known(String instanceId) {
        return Optional.ofNullable(instances.get(instanceId)).map(Seen::snapshot);
    }

    /** Instances that take work now, by id. */
    public List<InstanceSnapshot> ready(Role role, Backend backend, Instant now) {
        return instances.values().stream()
                .filter(seen ->
                        seen.snapshot().role() == role && seen.snapshot().backend() == backend)
                .filter(seen ->
                        seen.snapshot().state() == State.READY && age(seen, now).compareTo(HEARTBEAT_LIMIT) <= 0)
                .map(Seen::snapshot)
                .sorted(Comparator.comparing(InstanceSnapshot::instanceId))
                .toList();
    }

    /** How many instances with GPUs take work now. */
    public int readyWithGpus(Instant now) {
        return (int) instances.values().stream()
                .filter(seen -> seen.snapshot().gpus() > 0 && seen.snapshot().state() == State.READY)
                .filter(seen -> age(seen, now).compareTo(HEARTBEAT_LIMIT) <= 0)
                .count();
    }

    /** Why a process can serve no longer; empty while it can. */
    public Optional<String> lost(String instanceId, String incarnation, Instant now) {
        Seen seen = instances.get(instanceId);
        if (seen == null) {
            return now.isBefore(patientUntil) ? Optional.empty() : Optional.of(instanceId + " is unknown");
        }
        if (!seen.snapshot().incarnation().equals(incarnation)) {
            return Optional.of(instanceId + " was started anew");
        }
        return switch (seen.snapshot().state()) {
            case STOPPED -> Optional.of(instanceId + " was stopped");
            case DRAINING -> Optional.of(instanceId + " is draining");
            case READY ->
                age(seen, now).compareTo(HEARTBEAT_LIMIT) > 0 && !now.isBefore(patientUntil)
                        ? Optional.of(instanceId + " sent no heartbeat")
                        : Optional.empty();
        };
    }

    private static Duration age(Seen seen, Instant now) {
        return Duration.between(seen.at(), now);
    }
}
