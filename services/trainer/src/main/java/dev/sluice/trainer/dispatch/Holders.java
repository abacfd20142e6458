package dev.sluice.trainer.dispatch;

import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The instances that do the work of one weight version while the others go on to newer ones: half of them, at least one. An
 * instance keeps a version for as long as it has such work, on half of its engines, at least one. Not thread-safe.
 */
final class Holders {
    private static final int NONE = -1;

    private final Set<String> chosen = new LinkedHashSet<>();
    private int version = NONE;

    /** @param newest whether every engine comes to this version; otherwise only those that hold it now can be chosen */
    void hold(int wanted, boolean newest, List<RolloutPool.Member> members) {
        if (version != wanted) {
            release();
            version = wanted;
        }
        List<RolloutPool.Member> able = members.stream()
                .filter(member -> newest || member.holds(version))
                .sorted(Comparator.comparing((RolloutPool.Member member) -> !member.holds(version))
                        .thenComparing(RolloutPool.Member::instanceId))
                .toList();
        chosen.removeIf(
                id -> able.stream().noneMatch(member -> member.instanceId().equals(id)));
        int share = Math.max(1, members.size() / 2);
        able.stream()
                .map(RolloutPool.Member::instanceId)
                .filter(id -> !chosen.contains(id))
                .limit(Math.max(0, share - chosen.size()))
                .forEach(chosen::add);
    }

    void release() {
        chosen.clear();
        version = NONE;
    }

    boolean isEmpty() {
        return chosen.isEmpty();
    }

    boolean mayHave(RolloutPool.Member member) {
        return chosen.contains(member.instanceId());
    }

    boolean isHolding(RolloutPool.Member member, String instanceId) {
        return member.instanceId().equals(instanceId) && member.holds(version);
    }

    /** Whether its only engine is the version's own, so that other work would wait for long; others must be there for that. */
    boolean isBusy(RolloutPool.Member member, List<RolloutPool.Member> members) {
        return mayHave(member) && member.engines() == 1 && members.size() > 1;
    }
}
