package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the logs of a run must keep at any time, and what they must have come to at its end. */
record RunInvariants(TrainingRules rules, RunLogs logs, Moves moves) {

    /** @param worker batches that the living worker was trained on, absent where there is none */
    void check(@Nullable List<String> worker) {
        Set<Long> closed = new HashSet<>();
        Set<String> roundsDropped = new HashSet<>();
        int step = 0;
        for (Event event : logs.training()) {
            if (event instanceof BatchFormed formed) {
                formed.dropped().forEach(drop -> checkDrop(drop, closed, roundsDropped));
                formed.groups().forEach(use -> checkUse(use, formed, closed, roundsDropped));
                if (!formed.groups().isEmpty()) {
                    moves.require(formed.step() == ++step, "steps are not in order: " + formed);
                    moves.require(formed.groups().size() == rules.groupsPerStep(), "of another size: " + formed);
                }
            } else if (event instanceof RolledBack taken) {
                moves.require(taken.toStep() < step, "nothing is taken back: " + taken);
                step = taken.toStep();
            }
        }
        if (worker != null) {
            List<String> logged = logs.steps().stream().map(RunLogs::contentOf).toList();
            moves.require(
                    worker.size() <= logged.size() && worker.equals(logged.subList(0, worker.size())),
                    "weights %s differ from the log %s".formatted(worker, logged));
        }
    }

    private void checkDrop(GroupDrop drop, Set<Long> closed, Set<String> roundsDropped) {
        moves.require(roundsDropped.add(drop.groupId() + ":" + drop.round()), "dropped twice: " + drop);
        moves.require(drop.again() || closed.add(drop.cursor()), "used up twice: " + drop);
        requireEarlierRoundsDropped(drop.groupId(), drop.round(), roundsDropped);
        if (drop.reason() == DropReason.FILTERED) {
            GroupAsk dropped = new GroupAsk(drop.cursor(), drop.round(), 0);
            moves.require(rules.filter() != DynamicFilter.NONE, "no filter is set: " + drop);
            moves.require(!drop.again(), "to be asked for again: " + drop);
            moves.require(logs.isFlat(dropped), "its rewards differ: " + drop);
            moves.require(logs.firstResult(dropped).equals(drop.resultId()), "not the first result: " + drop);
        }
    }

    private void checkUse(GroupUse use, BatchFormed formed, Set<Long> closed, Set<String> roundsDropped) {
        moves.require(closed.add(use.cursor()), "used up twice: " + use);
        String round = use.groupId() + ":" + use.round();
        moves.require(!roundsDropped.contains(round), "used after it was dropped: " + use);
        requireEarlierRoundsDropped(use.groupId(), use.round(), roundsDropped);
        requireAge(use, formed.weightVersion());
        GroupAsk used = new GroupAsk(use.cursor(), use.round(), 0);
        moves.require(use.resultId().equals(logs.firstResult(used)), "not the first result: " + use);
        moves.require(
                rules.filter() != DynamicFilter.NONZERO_STD || !logs.isFlat(used),
                "trained on although nothing is learnt from it: " + use);
    }

    private void requireAge(GroupUse use, int version) {
        moves.require(use.policyLag() == version - logs.oldestVersion(use.resultId()), "of another lag: " + use);
        boolean within = use.policyLag() <= rules.maxPolicyLag();
        int trainedFrom = within || rules.staleSamples() != StaleSamples.MASK ? 0 : version - rules.maxPolicyLag();
        moves.require(within || rules.staleSamples() != StaleSamples.DROP, "older than the run allows: " + use);
        moves.require(
                use.trainedFrom() == trainedFrom,
                "masked below another version than %d: %s".formatted(trainedFrom, use));
    }

    private void requireEarlierRoundsDropped(String groupId, int last, Set<String> roundsDropped) {
        for (int round = 0; round < last; round++) {
            String name = groupId + ":" + round;
            moves.require(roundsDropped.contains(name), "tokens are in no bucket: " + name);
        }
    }

    /** Once the run is over. */
    void requireEveryPromptClosed() {
        long next =
                logs.batches().stream().mapToLong(BatchFormed::cursorNext).max().orElse(0);
        for (long cursor = 0; cursor < next; cursor++) {
            moves.require(logs.isUsedUp(cursor), "prompt " + cursor + " has no end");
        }
        for (LogEntry<Event> entry : logs.results()) {
            if (entry.event() instanceof GroupSampled sampled) {
                moves.require(sampled.cursor() < next, "tokens of " + sampled.groupId() + " are in no bucket");
            }
        }
    }
}
