package dev.sluice.trainer.dispatch;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The rollout instances and engines that this trainer has heard of, for all runs. Instances and engines come by two topics
 * without a common order, so nothing here depends on which came first.
 */
public final class RolloutPool {
    private final Map<String, InstanceSnapshot> instances = new HashMap<>();
    private final Map<String, Engine> engines = new HashMap<>();
    private final Map<Answering, EngineEvent.PhaseReached> answers = new HashMap<>();
    private final Map<Object, Runnable> listeners = new HashMap<>();
    private long changes;

    private record Answering(String runId, String instanceId) {}

    /** An engine that takes work. */
    private record Engine(
            String runId, String instanceId, String incarnation, int weightVersion, int maxRunningRequests) {
        Engine at(int version) {
            return new Engine(runId, instanceId, incarnation, version, maxRunningRequests);
        }
    }

    /**
     * What an instance can do for a run.
     *
     * @param incarnation its process
     * @param versions weight version of each of its engines, oldest first
     * @param requests samples that its engines run at once
     */
    public record Member(String instanceId, String incarnation, List<Integer> versions, int requests) {
        int newestVersion() {
            return versions.getLast();
        }

        int oldestVersion() {
            return versions.getFirst();
        }

        boolean holds(int version) {
            return versions.contains(version);
        }

        public int engines() {
            return versions.size();
        }
    }

    /** Takes a record of the instances or engines topic. */
    public void accept(Event event) {
        boolean changed;
        synchronized (this) {
            changes++;
            changed = switch (event) {
                case InstanceSnapshot snapshot -> apply(snapshot);
                case EngineEvent engine -> apply(engine);
                case Event other -> false;
            };
        }
        if (changed) {
            listeners().forEach(Runnable::run);
        }
    }

    private boolean apply(InstanceSnapshot snapshot) {
        if (snapshot.role() != InstanceSnapshot.Role.ROLLOUT) {
            return false;
        }
        InstanceSnapshot before = instances.put(snapshot.instanceId(), snapshot);
        return before == null
                || !before.incarnation().equals(snapshot.incarnation())
                || before.state() != snapshot.state();
    }

    private boolean apply(EngineEvent event) {
        return switch (event) {
            case EngineEvent.EngineReady ready -> {
                engines.put(
                        ready.engineId(),
                        new Engine(
                                ready.runId(),
                                ready.instanceId(),
                                ready.incarnation(),
                                ready.weightVersion(),
                                ready.maxRunningRequests()));
                yield true;
            }
            case EngineEvent.WeightsLoaded loaded ->
                engines.computeIfPresent(loaded.engineId(), (id, engine) -> engine.at(loaded.version())) != null;
            case EngineEvent.EngineUnhealthy unhealthy -> engines.remove(unhealthy.engineId()) != null;
            case EngineEvent.EngineQuarantined quarantined -> engines.remove(quarantined.engineId()) != null;
            case EngineEvent.EngineStopped stopped -> engines.remove(stopped.engineId()) != null;
            case EngineEvent.EngineStarted started -> false;
            case EngineEvent.EngineFellBack fellBack -> false;
            case EngineEvent.EngineWorked worked -> false;
            case EngineEvent.PhaseReached reached -> {
                answers.put(new Answering(reached.runId(), reached.instanceId()), reached);
                yield true;
            }
        };
    }

    /** Records taken so far: what was looked up before the last one may be wrong. */
    synchronized long changes() {
        return changes;
    }

    /** Instances with engines of a run that were heard of lately and take work. */
    public synchronized List<Member> members(String runId, Instant now, Duration silence) {
        return instances.values().stream()
                .filter(snapshot -> snapshot.state() == InstanceSnapshot.State.READY && isFresh(snapshot, now, silence))
                .flatMap(snapshot -> member(snapshot, runId).stream())
                .sorted(Comparator.comparing(Member::instanceId))
                .toList();
    }

    private Optional<Member> member(InstanceSnapshot snapshot, String runId) {
        List<Engine> own = engines.values().stream()
                .filter(engine -> engine.runId().equals(runId)
                        && engine.instanceId().equals(snapshot.instanceId())
                        && engine.incarnation().equals(snapshot.incarnation()))
                .toList();
        if (own.isEmpty()) {
            return Optional.empty();
        }
        return Optional.of(new Member(
                snapshot.instanceId(),
                snapshot.incarnation(),
                own.stream().map(Engine::weightVersion).sorted().toList(),
                own.stream().mapToInt(Engine::maxRunningRequests).sum()));
    }

    /** What an instance said last of the phase of a run's engines. */
    public synchronized Optional<EngineEvent.PhaseReached> answer(String runId, String instanceId) {
        return Optional.ofNullable(answers.get(new Answering(runId, instanceId)));
    }

    /** What an instance said last of itself. */
    public synchronized Optional<InstanceSnapshot> snapshot(String instanceId) {
        return Optional.ofNullable(instances.get(instanceId));
    }

    /** Why an instance has lost the tasks that were given to that process of it, or null while it has not. */
    public synchronized @Nullable String loss(
            String instanceId, String incarnation, String runId, Instant now, Duration silence) {
        InstanceSnapshot snapshot = instances.get(instanceId);
        if (snapshot == null) {
            return "is unknown";
        }
        if (!snapshot.incarnation().equals(incarnation)) {
            return "was started anew";
        }
        if (snapshot.state() == InstanceSnapshot.State.STOPPED) {
            return "has stopped";
        }
        if (!isFresh(snapshot, now, silence)) {
            return "was silent for "
                    + Duration.between(snapshot.heartbeat(), now).toSeconds() + " s";
        }
        return member(snapshot, runId).isEmpty() ? "has no engine left" : null;
    }

    private static boolean isFresh(InstanceSnapshot snapshot, Instant now, Duration silence) {
        return snapshot.heartbeat().plus(silence).isAfter(now);
    }

    /** Runs the action after each change that may let work go on; one for each owner. */
    public synchronized void listen(Object owner, Runnable action) {
        listeners.put(owner, action);
    }

    public synchronized void forget(Object owner) {
        listeners.remove(owner);
    }

    private synchronized List<Runnable> listeners() {
        return List.copyOf(listeners.values());
    }
}
