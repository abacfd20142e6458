package dev.sluice.trainer.dispatch;

import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.trainer.TrainerConfig;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Who has which work, and to whom the next goes. An instance renews its leases by its heartbeat; when it is lost, or does not
 * begin, the work goes elsewhere as one more attempt. Not thread-safe; nothing here waits or sends.
 */
final class Leases {
    /** Times the median that work may take before it is given to a second instance. */
    private static final int LATE = 3;

    /** Groups of one weight version in hand below which an instance is given more: while it has any, it keeps that version. */
    private static final int EXACT_GROUPS = 1024;

    private final String runId;
    private final RolloutPool pool;
    private final TrainerConfig.Leases bounds;
    private final Map<Work.Key, Lease> leases = new HashMap<>();
    private final Map<Work.Key, Integer> attempts = new HashMap<>();
    /** The first lease of work that was given to a second instance because it took so long. */
    private final Map<Work.Key, Lease> stragglers = new HashMap<>();

    private final RecentDurations durations = new RecentDurations();
    private final Holders holders = new Holders();
    /** What instances have given back of work that nobody has finished. */
    private final Map<Work.Key, List<Sample>> parked = new HashMap<>();

    Leases(String runId, RolloutPool pool, TrainerConfig.Leases bounds) {
        this.runId = runId;
        this.pool = pool;
        this.bounds = bounds;
    }

    /** A lease that ended without a result. */
    record Lost(Lease lease, String why) {}

    /** Notes that an instance has begun; attempts of an earlier trainer count too. */
    void begun(GroupStarted started) {
        Work.Key key = new Work.Key(started.groupId(), started.round());
        attempts.merge(key, started.attempt() + 1, Math::max);
        leases.computeIfPresent(
                key,
                (work, lease) -> lease.instanceId().equals(started.instanceId()) && lease.attempt() == started.attempt()
                        ? lease.begun()
                        : lease);
    }

    /** An instance gives work back; the next one that gets it goes on with these samples. */
    void parked(SamplesParked event) {
        Work.Key key = new Work.Key(event.groupId(), event.round());
        attempts.merge(key, event.attempt() + 1, Math::max);
        Lease lease = leases.get(key);
        boolean another =
                lease != null && (!lease.instanceId().equals(event.instanceId()) || lease.attempt() != event.attempt());
        if (!another) {
            leases.remove(key);
            parked.put(key, event.samples());
        }
    }

    /** What the next instance that gets this work can go on with. */
    List<Sample> parked(Work.Key key) {
        return parked.getOrDefault(key, List.of());
    }

    /** The samples cannot be sent on: the work begins anew. */
    void forgetParked(Work.Key key) {
        parked.remove(key);
    }

    /** Ends the leases of work that has a result, and says who had them. */
    List<Lease> end(Work.Key key, Instant now) {
        attempts.remove(key);
        parked.remove(key);
        List<Lease> ended = new ArrayList<>();
        Lease overtaken = stragglers.remove(key);
        Lease lease = leases.remove(key);
        if (overtaken != null) {
            ended.add(overtaken);
        }
        if (lease != null) {
            ended.add(lease);
            durations.add(Duration.between((overtaken == null ? lease : overtaken).sentAt(), now));
        }
        return ended;
    }

    /**
     * Gives work that takes much longer than others to another instance too, if one has room that nobody waits for. The first
     * result counts; the slow instance may go on.
     */
    Optional<Lease> overtake(Work work, Instant now) {
        Lease slow = leases.get(work.key());
        if (slow == null || !slow.started() || stragglers.containsKey(work.key()) || !isLate(slow, now)) {
            return Optional.empty();
        }
        return pool.members(runId, now, bounds.heartbeat()).stream()
                .filter(member -> !member.instanceId().equals(slow.instanceId()))
                .filter(member -> load(member) + work.samples() <= member.requests())
                .min(Comparator.comparingInt((RolloutPool.Member member) -> -member.newestVersion())
                        .thenComparing(RolloutPool.Member::instanceId))
                .map(member -> {
                    stragglers.put(work.key(), slow);
                    return grant(work, member, now);
                });
    }

    private boolean isLate(Lease lease, Instant now) {
        Duration age = Duration.between(lease.sentAt(), now);
        return age.compareTo(bounds.straggler()) > 0
                && durations
                        .median()
                        .filter(median -> age.compareTo(median.multipliedBy(LATE)) > 0)
                        .isPresent();
    }

    /** Ends the lease of work that could not be sent. */
    void unsent(Lease lease) {
        leases.remove(lease.work(), lease);
    }

    /** Takes away what lost instances have. */
    List<Lost> endLost(Instant now) {
        List<Lost> lost = new ArrayList<>();
        for (Lease lease : List.copyOf(leases.values())) {
            String why = loss(lease, now);
            if (why != null) {
                leases.remove(lease.work());
                lost.add(new Lost(lease, why));
            }
        }
        return lost;
    }

    private @Nullable String loss(Lease lease, Instant now) {
        String why = pool.loss(lease.instanceId(), lease.incarnation(), runId, now, bounds.heartbeat());
        if (why != null) {
            return why;
        }
        if (!lease.started() && lease.sentAt().plus(bounds.start()).isBefore(now)) {
            return "did not begin within " + bounds.start().toSeconds() + " s";
        }
        return lease.deadline().plus(bounds.grace()).isBefore(now) ? "gave no result by the deadline" : null;
    }

    boolean has(Work.Key key) {
        return leases.containsKey(key);
    }

    Optional<Lease> of(Work.Key key) {
        return Optional.ofNullable(leases.get(key));
    }

    Collection<Lease> all() {
        return List.copyOf(leases.values());
    }

    /**
     * Says that work is coming which one weight version alone may do, so that some instances are chosen for it.
     *
     * @param newest whether it is the newest one, which every engine comes to
     */
    void hold(int version, boolean newest, Instant now) {
        holders.hold(version, newest, pool.members(runId, now, bounds.heartbeat()));
    }

    /** No more of such work comes. */
    void release() {
        holders.release();
    }

    /** Whether no instance has that version any more, nor will. */
    boolean isHeldByNone() {
        return holders.isEmpty();
    }

    /** Whether whoever has such work has begun it with that version, and another engine is there for newer ones. */
    boolean isHeld(Instant now) {
        List<RolloutPool.Member> members = pool.members(runId, now, bounds.heartbeat());
        Map<String, List<Lease>> exact =
                leases.values().stream().filter(Lease::exact).collect(Collectors.groupingBy(Lease::instanceId));
        return !exact.isEmpty()
                && members.stream().mapToInt(RolloutPool.Member::engines).sum() > 1
                && exact.entrySet().stream()
                        .allMatch(has -> has.getValue().stream().anyMatch(Lease::started)
                                && members.stream().anyMatch(member -> holders.isHolding(member, has.getKey())));
    }

    /** Ends work that one version alone may do, and says who had it. */
    List<Lease> endExact() {
        List<Lease> ended = leases.values().stream().filter(Lease::exact).toList();
        ended.forEach(lease -> leases.remove(lease.work()));
        return ended;
    }

    /** Forgets leases of work that nobody wants any more, and names them. */
    List<Lease> endAllBut(Set<Work.Key> wanted) {
        List<Lease> ended = leases.values().stream()
                .filter(lease -> !wanted.contains(lease.work()))
                .toList();
        ended.forEach(lease -> {
            leases.remove(lease.work());
            stragglers.remove(lease.work());
        });
        return ended;
    }

    /** Gives the work to the best instance, if one has room: newest version, then fewest samples in hand for its size. */
    Optional<Lease> grant(Work work, Instant now) {
        List<RolloutPool.Member> members = pool.members(runId, now, bounds.heartbeat());
        return members.stream()
                .filter(member -> work.exact()
                        ? holders.mayHave(member) && exactGroups(member) < EXACT_GROUPS
                        : !holders.isBusy(member, members) && load(member) < room(member, work))
                .min(Comparator.comparingInt((RolloutPool.Member member) -> -member.newestVersion())
                        .thenComparingDouble(member -> (double) load(member) / Math.max(1, member.requests()))
                        .thenComparing(RolloutPool.Member::instanceId))
                .map(member -> grant(work, member, now));
    }

    private Lease grant(Work work, RolloutPool.Member member, Instant now) {
        int attempt = attempts.merge(work.key(), 1, Integer::sum) - 1;
        Lease lease = new Lease(
                work.key(),
                attempt,
                member.instanceId(),
                member.incarnation(),
                member.oldestVersion(),
                work.exact(),
                work.samples(),
                now,
                false,
                now.plusSeconds(work.deadlineSeconds()));
        leases.put(work.key(), lease);
        return lease;
    }

    private int load(RolloutPool.Member member) {
        return of(member)
                .filter(lease -> !lease.exact() || member.engines() == 1)
                .mapToInt(Lease::samples)
                .sum();
    }

    private long exactGroups(RolloutPool.Member member) {
        return of(member).filter(Lease::exact).count();
    }

    private Stream<Lease> of(RolloutPool.Member member) {
        return Stream.concat(leases.values().stream(), stragglers.values().stream())
                .filter(lease -> lease.instanceId().equals(member.instanceId())
                        && lease.incarnation().equals(member.incarnation()));
    }

    /** Samples in hand below which an instance is given more: what its engines run at once and one group more for each. */
    private static int room(RolloutPool.Member member, Work work) {
        return member.requests() + member.engines() * work.samples();
    }

    /** Groups that the engines can hold, queue included; what a trainer may ask for at once. */
    int slots(int samplesPerPrompt, Instant now) {
        return pool.members(runId, now, bounds.heartbeat()).stream()
                .mapToInt(member -> Math.max(1, member.requests() / samplesPerPrompt) + member.engines())
                .sum();
    }
}
