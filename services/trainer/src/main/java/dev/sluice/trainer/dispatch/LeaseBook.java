package dev.sluice.trainer.dispatch;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Leases by work, and how much each process of an instance has in hand. Sums are kept as leases come and go: thousands of groups
 * are in flight, and each that is granted asks for the sums of all instances.
 */
final class LeaseBook {
    private final Map<Work.Key, Lease> leases = new HashMap<>();
    /** The first lease of work that was given to a second instance because it took so long. */
    private final Map<Work.Key, Lease> stragglers = new HashMap<>();

    private final Map<Holder, Hand> hands = new HashMap<>();

    private record Holder(String instanceId, String incarnation) {}

    /**
     * What a process has.
     *
     * @param samples of work that any version within its bound may do
     * @param exactSamples of work that one version alone may do
     * @param exactGroups groups of such work
     */
    record Hand(int samples, int exactSamples, int exactGroups) {
        private static final Hand EMPTY = new Hand(0, 0, 0);

        private Hand changed(Lease lease, int sign) {
            return lease.exact()
                    ? new Hand(samples, exactSamples + sign * lease.samples(), exactGroups + sign)
                    : new Hand(samples + sign * lease.samples(), exactSamples, exactGroups);
        }
    }

    /** Takes a lease in place of another of the same work. */
    void put(Lease lease) {
        count(leases.put(lease.work(), lease), -1);
        count(lease, 1);
    }

    /** Keeps a lease as that of a straggler. */
    void putStraggler(Lease lease) {
        count(stragglers.put(lease.work(), lease), -1);
        count(lease, 1);
    }

    Optional<Lease> remove(Work.Key key) {
        Lease lease = leases.remove(key);
        count(lease, -1);
        return Optional.ofNullable(lease);
    }

    Optional<Lease> removeStraggler(Work.Key key) {
        Lease lease = stragglers.remove(key);
        count(lease, -1);
        return Optional.ofNullable(lease);
    }

    /** Removes those that a condition holds for, and tells them; not stragglers. */
    List<Lease> removeIf(Predicate<Lease> condition) {
        List<Lease> removed = new ArrayList<>();
        for (Lease lease : leases.values()) {
            if (condition.test(lease)) {
                removed.add(lease);
            }
        }
        removed.forEach(lease -> remove(lease.work()));
        return removed;
    }

    Optional<Lease> get(Work.Key key) {
        return Optional.ofNullable(leases.get(key));
    }

    boolean has(Work.Key key) {
        return leases.containsKey(key);
    }

    boolean isStraggler(Work.Key key) {
        return stragglers.containsKey(key);
    }

    Collection<Lease> all() {
        return leases.values();
    }

    Hand hand(String instanceId, String incarnation) {
        return hands.getOrDefault(new Holder(instanceId, incarnation), Hand.EMPTY);
    }

    private void count(@Nullable Lease lease, int sign) {
        if (lease != null) {
            hands.compute(new Holder(lease.instanceId(), lease.incarnation()), (holder, hand) -> {
                Hand now = (hand == null ? Hand.EMPTY : hand).changed(lease, sign);
                return now.equals(Hand.EMPTY) ? null : now;
            });
        }
    }
}
