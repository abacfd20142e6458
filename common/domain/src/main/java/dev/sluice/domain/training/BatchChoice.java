package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How the open groups stand at one version, and which of them the next step takes: oldest version first, then by cursor. A
 * filter's fallback takes groups that it would leave out once all of the step's wave are sampled and too few are ready, so that
 * a step costs at most one wave.
 */
final class BatchChoice {
    private static final Comparator<Standing.Ready> TRAINING_ORDER = Comparator.comparingInt(
                    (Standing.Ready ready) -> ready.result().oldestVersion())
            .thenComparingLong(ready -> ready.result().entry().event().cursor());

    private final TrainingRules rules;
    private final int version;
    private final List<Standing.Ready> ready = new ArrayList<>();
    /** Rejected groups of the first wave; those behind it may serve a later step. */
    private final List<Standing.Rejected> rejected = new ArrayList<>();

    private final List<GroupDrop> drops = new ArrayList<>();
    /** Groups that a filter leaves out for good. */
    private final List<Standing.Exhausted> filteredOut = new ArrayList<>();

    private int inWave;
    private int runningInWave;
    private int rejectedInAll;

    BatchChoice(GroupBook groups, TrainingRules rules, int version) {
        this.rules = rules;
        this.version = version;
        for (long cursor : groups.open()) {
            Standing standing = groups.standing(cursor, version);
            drops.addAll(standing.drops());
            boolean inFirstWave = inWave < rules.groupsPerWave();
            switch (standing) {
                case Standing.Ready usable -> {
                    ready.add(usable);
                    inWave++;
                }
                case Standing.Rejected unwanted -> {
                    rejectedInAll++;
                    inWave++;
                    if (inFirstWave) {
                        rejected.add(unwanted);
                    }
                }
                case Standing.Wanted wanted -> {
                    inWave++;
                    runningInWave += inFirstWave ? 1 : 0;
                }
                case Standing.Exhausted exhausted -> {
                    if (!exhausted.drops().isEmpty()
                            && exhausted.drops().getLast().reason() == DropReason.FILTERED) {
                        filteredOut.add(exhausted);
                    }
                }
            }
        }
        ready.sort(TRAINING_ORDER);
    }

    /** Groups whose result can be trained on and that no filter leaves out. */
    int ready() {
        return ready.size();
    }

    /** Groups that keep their place in the capacity: ready, or left out by a filter that may still take them. */
    int accepted() {
        return ready.size() + rejectedInAll;
    }

    /** Groups that a filter leaves out and that are not closed yet, those included that may still be kept. */
    int filtered() {
        return filteredOut.size() + rejectedInAll;
    }

    /** Groups that a filter leaves out for good and that are not closed yet. */
    int filteredOut() {
        return filteredOut.size();
    }

    /** The rounds that closing those groups accounts for. */
    List<GroupDrop> filteredDrops() {
        return filteredOut.stream().flatMap(out -> out.drops().stream()).toList();
    }

    boolean isEnough() {
        return !taken().isEmpty();
    }

    /** What the next step trains on, in order; empty while it has to wait. */
    List<GroupUse> uses() {
        return taken().stream().map(this::use).toList();
    }

    /** The rounds that a step which takes these groups closes without training. */
    List<GroupDrop> drops() {
        Set<Long> taken = uses().stream().map(GroupUse::cursor).collect(Collectors.toSet());
        Stream<GroupDrop> unused =
                rejected.stream().map(Standing.Rejected::drop).filter(drop -> !taken.contains(drop.cursor()));
        return Stream.concat(drops.stream(), unused).toList();
    }

    private List<Standing.Ready> taken() {
        if (ready.size() >= rules.groupsPerStep()) {
            return ready.subList(0, rules.groupsPerStep());
        }
        boolean waveIsSampled = inWave >= rules.groupsPerWave() && runningInWave == 0;
        if (!waveIsSampled || ready.size() + rejected.size() < rules.groupsPerStep()) {
            return List.of();
        }
        Stream<Standing.Ready> fallback =
                rejected.stream().map(Standing.Rejected::kept).sorted(TRAINING_ORDER);
        return Stream.concat(ready.stream(), fallback)
                .limit(rules.groupsPerStep())
                .sorted(TRAINING_ORDER)
                .toList();
    }

    private GroupUse use(Standing.Ready group) {
        LogEntry<GroupSampled> entry = group.result().entry();
        int lag = version - group.result().oldestVersion();
        boolean masks = rules.staleSamples() == StaleSamples.MASK && lag > rules.maxPolicyLag();
        return new GroupUse(
                entry.event().groupId(),
                entry.event().cursor(),
                group.round(),
                entry.id(),
                entry.partition(),
                entry.offset(),
                lag,
                masks ? rules.oldestWithinLag(version) : 0);
    }
}
