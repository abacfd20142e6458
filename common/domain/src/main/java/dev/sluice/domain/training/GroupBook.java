package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.ObjLongConsumer;

/**
 * Where every group stands. What the logs say is kept as it stands there; whether a result is usable is worked out anew each
 * time from that and the current version, so the order in which two topics are read makes no difference.
 */
final class GroupBook {
    private static final TreeMap<Integer, Integer> NEVER_ASKED = new TreeMap<>();

    private final TrainingRules rules;
    private final ClosedCursors closed;
    private final Map<Long, TreeMap<Integer, GroupResult>> results = new HashMap<>();
    private final Map<Long, RoundStart> rounds = new HashMap<>();
    /** Oldest version that may have sampled a round, by cursor; the last round is the one asked for now. */
    private final Map<Long, TreeMap<Integer, Integer>> asked = new HashMap<>();

    private final FilterCounts filtered = new FilterCounts();

    private final Standings standings = new Standings();
    /** Groups whose standing is to be worked out anew. A tree: it is emptied with each result, which takes a hash table its size. */
    private final TreeSet<Long> changed = new TreeSet<>();

    private int standingsVersion = -1;
    private long standingsNext;
    private long cursorNext;
    private long readTo;

    /** The round an open group is in, and the training log's record that says so. */
    private record RoundStart(int round, long trainingOffset) {}

    GroupBook(TrainingRules rules, Cut cut) {
        this.rules = rules;
        this.closed = new ClosedCursors(cut.closedBelow(), cut.closedAbove());
        this.cursorNext = cut.cursorNext();
        this.standingsNext = cut.closedBelow();
        this.readTo = cut.groupsOffset();
    }

    /** Notes that the log of results was read up to before this offset. */
    void readTo(long offset) {
        readTo = Math.max(readTo, offset);
    }

    /** Takes a terminal record; the first of a (group, round) in log order wins, whatever its attempt or epoch. */
    void apply(GroupResult result) {
        LogEntry<? extends GroupEvent> entry = result.entry();
        readTo(entry.offset() + 1);
        long cursor = switch (entry.event()) {
            case GroupSampled sampled -> sampled.cursor();
            case GroupAbandoned abandoned -> abandoned.cursor();
            case GroupEvent.GroupStarted started -> -1;
            case GroupEvent.SamplesParked parked -> -1;
            case GroupEvent.GroupScored scored -> -1;
        };
        if (cursor < 0 || !entry.event().groupId().equals(rules.groupId(cursor))) {
            return;
        }
        changed.add(cursor);
        results.computeIfAbsent(cursor, key -> new TreeMap<>())
                .merge(
                        entry.event().round(),
                        result,
                        (known, other) ->
                                known.entry().offset() <= other.entry().offset() ? known : other);
    }

    void apply(GroupAsk ask) {
        changed.add(ask.cursor());
        cursorNext = Math.max(cursorNext, ask.cursor() + 1);
        // A result that is there already was asked for by an earlier trainer, with its own bound.
        int minimum = result(ask.cursor(), ask.round()).isPresent() ? 0 : ask.minimumVersion();
        asked.computeIfAbsent(ask.cursor(), cursor -> new TreeMap<>()).put(ask.round(), minimum);
    }

    /** Uses groups up, as a record of the training log says. */
    void apply(BatchFormed formed, long trainingOffset) {
        cursorNext = Math.max(cursorNext, formed.cursorNext());
        for (GroupDrop drop : formed.dropped()) {
            if (!closed.isOpen(drop.cursor())) {
                continue;
            }
            if (drop.again()) {
                changed.add(drop.cursor());
                rounds.merge(
                        drop.cursor(),
                        new RoundStart(drop.round() + 1, trainingOffset),
                        (known, other) -> known.round() >= other.round() ? known : other);
            } else {
                close(drop.cursor());
                filtered.count(drop, formed);
            }
        }
    }

    /** What filters have left out, by the step that it was sampled for. */
    FilterCounts filtered() {
        return filtered;
    }

    /**
     * Closes the groups that a step trains on.
     *
     * @throws IllegalStateException if one of them was used up before
     */
    void use(BatchFormed formed) {
        for (GroupUse use : formed.groups()) {
            if (!closed.isOpen(use.cursor())) {
                throw new IllegalStateException(
                        "step %d uses group %s, which was used up before; the training log of %s contradicts itself"
                                .formatted(formed.step(), use.groupId(), formed.runId()));
            }
            close(use.cursor());
        }
    }

    private void close(long cursor) {
        changed.add(cursor);
        closed.close(cursor);
        rounds.remove(cursor);
        asked.remove(cursor);
    }

    /** Where all open groups below the cursor stand at a weight version. */
    Standings standings(int version) {
        if (version != standingsVersion) {
            standingsVersion = version;
            changed.addAll(standings.open().keySet());
        }
        for (; standingsNext < cursorNext; standingsNext++) {
            changed.add(standingsNext);
        }
        for (long cursor : changed) {
            if (cursor >= cursorNext || !closed.isOpen(cursor)) {
                standings.remove(cursor);
                continue;
            }
            Standing standing = standing(cursor, version);
            boolean asked = standing instanceof Standing.Wanted wanted && isAsked(cursor, wanted.round());
            standings.put(cursor, standing, asked);
        }
        changed.clear();
        return standings;
    }

    /** Where an open group stands at a weight version. */
    Standing standing(long cursor, int version) {
        List<GroupDrop> drops = new ArrayList<>();
        Map<Integer, GroupResult> ofGroup = results.getOrDefault(cursor, new TreeMap<>());
        for (int round = loggedRound(cursor); round <= rules.maxRounds(); round++) {
            GroupResult result = ofGroup.get(round);
            if (result == null) {
                return new Standing.Wanted(round, drops);
            }
            Optional<ResultCheck.Objection> objection =
                    ResultCheck.objection(result, rules, minimumVersion(cursor, round), version);
            if (objection.isEmpty()) {
                return new Standing.Ready(round, (GroupResult.Sampled) result, drops);
            }
            GroupDrop drop = drop(cursor, round, result, objection.get());
            if (drop.reason() == DropReason.FILTERED) {
                return filtered((GroupResult.Sampled) result, drop, drops, version);
            }
            drops.add(drop);
        }
        return new Standing.Exhausted(drops);
    }

    private GroupDrop drop(long cursor, int round, GroupResult result, ResultCheck.Objection objection) {
        boolean filtered = objection.reason() == DropReason.FILTERED;
        return new GroupDrop(
                rules.groupId(cursor),
                cursor,
                round,
                result.entry().id(),
                objection.reason(),
                !filtered && round < rules.maxRounds(),
                result.tokens(),
                filtered ? objection.why() : null);
    }

    private Standing filtered(GroupResult.Sampled result, GroupDrop drop, List<GroupDrop> drops, int version) {
        int minimum = minimumVersion(drop.cursor(), drop.round());
        Verdict verdict = result.entry().event().verdict();
        boolean fallback = rules.filter() == DynamicFilter.NONZERO_STD_WITH_FALLBACK
                || verdict != null && verdict.keepWhenInsufficient();
        if (fallback && !ResultCheck.isStale(result, rules, minimum, version)) {
            return new Standing.Rejected(new Standing.Ready(drop.round(), result, drops), drop, drops);
        }
        drops.add(drop);
        return new Standing.Exhausted(drops);
    }

    private int loggedRound(long cursor) {
        RoundStart start = rounds.get(cursor);
        return start == null ? 0 : start.round();
    }

    private int minimumVersion(long cursor, int round) {
        return asked.getOrDefault(cursor, NEVER_ASKED).getOrDefault(round, 0);
    }

    boolean isAsked(long cursor, int round) {
        return ask(cursor).filter(ask -> ask.round() >= round).isPresent();
    }

    /** The newest request for a group. */
    Optional<GroupAsk> ask(long cursor) {
        return Optional.ofNullable(asked.get(cursor))
                .map(TreeMap::lastEntry)
                .map(last -> new GroupAsk(cursor, last.getKey(), last.getValue()));
    }

    long cursorNext() {
        return cursorNext;
    }

    /** One above the highest cursor that was asked for, has a result, or is named by a record. */
    long cursorSeen() {
        return results.keySet().stream().mapToLong(cursor -> cursor + 1).reduce(cursorNext, Math::max);
    }

    boolean isOpen(long cursor) {
        return closed.isOpen(cursor);
    }

    /** The result of a (group, round), where it was read and not forgotten. */
    Optional<GroupResult> result(long cursor, int round) {
        return Optional.ofNullable(results.get(cursor)).map(rounds -> rounds.get(round));
    }

    /** Forgets results that nothing can ask for any more; those that are kept are named by the caller. */
    void forget(List<GroupUse> kept) {
        Map<Long, TreeMap<Integer, GroupResult>> keep = new HashMap<>();
        for (GroupUse use : kept) {
            result(use.cursor(), use.round())
                    .ifPresent(result -> keep.computeIfAbsent(use.cursor(), key -> new TreeMap<>())
                            .put(use.round(), result));
        }
        results.keySet().removeIf(cursor -> !closed.isOpen(cursor));
        results.forEach((cursor, rounds) -> rounds.headMap(loggedRound(cursor)).clear());
        results.putAll(keep);
    }

    /** What a cut has to say so that a new trainer finds every open group where it stands. */
    Cut cut(int step, int version, long trainingReadTo) {
        long[] groupsOffset = {readTo};
        forEachUnused((result, offset) -> groupsOffset[0] = Math.min(groupsOffset[0], offset));
        long trainingOffset =
                rounds.values().stream().mapToLong(RoundStart::trainingOffset).reduce(trainingReadTo, Math::min);
        return new Cut(step, version, cursorNext, closed.below(), closed.above(), groupsOffset[0], trainingOffset);
    }

    /** Every first result of an open group that no record has used or dropped, also of groups not asked for yet. */
    private void forEachUnused(ObjLongConsumer<GroupResult> action) {
        results.forEach((cursor, ofGroup) -> {
            if (closed.isOpen(cursor)) {
                ofGroup.tailMap(loggedRound(cursor))
                        .values()
                        .forEach(result -> action.accept(result, result.entry().offset()));
            }
        });
    }

    long readTo() {
        return readTo;
    }
}
