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
    private final LeaseBook leases = new LeaseBook();
    private final Map<Work.Key, Integer> attempts = new HashMap<>();
    private final RecentDurations durations = new RecentDurations();
    private final Holders holders = new Holders();
    /** What instances have given back of work that nobody has finished. */
    private final Map<Work.Key, List<Sample>> parked = new HashMap<>();

    private List<RolloutPool.Member> members = List.of();
    private @Nullable Instant membersAt;
    private long membersChanges;

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
        leases.get(key)
                .filter(lease ->
                        lease.instanceId().equals(started.instanceId()) && lease.attempt() == started.attempt())
                .ifPresent(lease -> leases.put(lease.begun()));
    }

    /** An instance gives work back; the next one that gets it goes on with these samples. */
    void parked(SamplesParked event) {
        Work.Key key = new Work.Key(event.groupId(), event.round());
        attempts.merge(key, event.attempt() + 1, Math::max);
        boolean another = leases.get(key)
                .filter(lease -> !lease.instanceId().equals(event.instanceId()) || lease.attempt() != event.attempt())
                .isPresent();
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
        Optional<Lease> overtaken = leases.removeStraggler(key);
        Optional<Lease> lease = leases.remove(key);
        lease.ifPresent(
                last -> durations.add(Duration.between(overtaken.orElse(last).sentAt(), now)));
        return Stream.concat(overtaken.stream(), lease.stream()).toList();
    }

    /**
     * Gives work that takes much longer than others to another instance too, if one has room that nobody waits for. The first
     * result counts; the slow instance may go on.
     */
    Optional<Lease> overtake(Work work, Instant now) {
        Lease slow = leases.get(work.key()).orElse(null);
        if (slow == null || !slow.started() || leases.isStraggler(work.key()) || !isLate(slow, now)) {
            return Optional.empty();
        }
        return members(now).stream()
                .filter(member -> !member.instanceId().equals(slow.instanceId()))
                .filter(member -> load(member) + work.samples() <= member.requests())
                .min(Comparator.comparingInt((RolloutPool.Member member) -> -member.newestVersion())
                        .thenComparing(RolloutPool.Member::instanceId))
                .map(member -> {
                    leases.putStraggler(slow);
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
        leases.get(lease.work()).filter(lease::equals).ifPresent(same -> leases.remove(same.work()));
    }

    /** Takes away what lost instances have. */
    List<Lost> endLost(Instant now) {
        Map<List<String>, Optional<String>> ofInstances = new HashMap<>();
        List<Lost> lost = new ArrayList<>();
        leases.removeIf(lease -> {
            Optional<String> ofInstance = ofInstances.computeIfAbsent(
                    List.of(lease.instanceId(), lease.incarnation()),
                    instance -> Optional.ofNullable(
                            pool.loss(lease.instanceId(), lease.incarnation(), runId, now, bounds.heartbeat())));
            Optional<String> why = ofInstance.isPresent() ? ofInstance : overdue(lease, now);
            why.ifPresent(reason -> lost.add(new Lost(lease, reason)));
            return why.isPresent();
        });
        return lost;
    }

    /** Nobody could begin anything for so long. */
    void stoodStill(Duration time) {
        List.copyOf(leases.all()).stream()
                .filter(lease -> !lease.started())
                .forEach(lease -> leases.put(lease.sentLater(time)));
    }

    private Optional<String> overdue(Lease lease, Instant now) {
        if (!lease.started() && lease.sentAt().plus(bounds.start()).isBefore(now)) {
            return Optional.of("did not begin within " + bounds.start().toSeconds() + " s");
        }
        return lease.deadline().plus(bounds.grace()).isBefore(now)
                ? Optional.of("gave no result by the deadline")
                : Optional.empty();
    }

    boolean has(Work.Key key) {
        return leases.has(key);
    }

    Optional<Lease> of(Work.Key key) {
        return leases.get(key);
    }

    Collection<Lease> all() {
        return List.copyOf(leases.all());
    }

    /**
     * Says that work is coming which one weight version alone may do, so that some instances are chosen for it.
     *
     * @param newest whether it is the newest one, which every engine comes to
     */
    void hold(int version, boolean newest, Instant now) {
        holders.hold(version, newest, members(now));
    }

    /** No more of such work comes. */
    void release() {
        holders.release();
    }

    /**
     * Whether no instance has that version any more, nor will, nor owes a result by it: one that has done its work loads newer weights,
     * and that may be read before its last results.
     */
    boolean isHeldByNone() {
        return holders.isEmpty() && leases.all().stream().noneMatch(Lease::exact);
    }

    /** Whether whoever has such work has begun it with that version, and another engine is there for newer ones. */
    boolean isHeld(Instant now) {
        List<RolloutPool.Member> members = members(now);
        Map<String, List<Lease>> exact =
                leases.all().stream().filter(Lease::exact).collect(Collectors.groupingBy(Lease::instanceId));
        return !exact.isEmpty()
                && members.stream().mapToInt(RolloutPool.Member::engines).sum() > 1
                && exact.entrySet().stream()
                        .allMatch(has -> has.getValue().stream().anyMatch(Lease::started)
                                && members.stream().anyMatch(member -> holders.isHolding(member, has.getKey())));
    }

    /** Ends work that one version alone may do, and says who had it. */
    List<Lease> endExact() {
        return leases.removeIf(Lease::exact);
    }

    /** Forgets leases of work that nobody wants any more, and names them. */
    List<Lease> endAllBut(Set<Work.Key> wanted) {
        List<Lease> ended = leases.removeIf(lease -> !wanted.contains(lease.work()));
        ended.forEach(lease -> leases.removeStraggler(lease.work()));
        return ended;
    }

    /** Gives the work to the best instance, if one has room: newest version, then fewest samples in hand for its size. */
    Optional<Lease> grant(Work work, Instant now) {
        List<RolloutPool.Member> members = members(now);
        return members.stream()
                .filter(member -> work.exact()
                        ? holders.mayHave(member) && hand(member).exactGroups() < EXACT_GROUPS
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
        leases.put(lease);
        return lease;
    }

    private int load(RolloutPool.Member member) {
        LeaseBook.Hand hand = hand(member);
        return hand.samples() + (member.engines() == 1 ? hand.exactSamples() : 0);
    }

    private LeaseBook.Hand hand(RolloutPool.Member member) {
        return leases.hand(member.instanceId(), member.incarnation());
    }

    /** Asked once for each group that is granted: looked up again only when time or the pool has moved on. */
    private List<RolloutPool.Member> members(Instant now) {
        long changes = pool.changes();
        if (!now.equals(membersAt) || changes != membersChanges) {
            members = pool.members(runId, now, bounds.heartbeat());
            membersAt = now;
            membersChanges = changes;
        }
        return members;
    }

    /** Samples in hand below which an instance is given more: what its engines run at once and one group more for each. */
    private static int room(RolloutPool.Member member, Work work) {
        return member.requests() + member.engines() * work.samples();
    }

    /** Groups that the engines can hold, queue included; what a trainer may ask for at once. */
    int slots(int samplesPerPrompt, Instant now) {
        return members(now).stream()
                .mapToInt(member -> Math.max(1, member.requests() / samplesPerPrompt) + member.engines())
                .sum();
    }
}
