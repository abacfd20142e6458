package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A run that goes on from a cut of a {@link TrainingWorld}, in which nothing fails; every move checks what must hold. */
final class ResumedWorld {
    private static final String LATER = "later";
    private static final int SLOTS = 4;

    private final CheckpointSaved saved;
    private final TrainingRules rules;
    private final int earlierSteps;
    private final TrainingState state;
    private final Map<Long, GroupSampled> adopted = new HashMap<>();
    private final Map<String, GroupSampled> earlier = new HashMap<>();
    private final List<BatchFormed> formed = new ArrayList<>();
    private final Set<Long> used = new HashSet<>();
    private int version;
    private int offset;

    ResumedWorld(TrainingWorld world, CheckpointSaved saved) {
        this.saved = saved;
        TrainingRules of = world.rules();
        this.earlierSteps = saved.step();
        this.rules = new TrainingRules(
                LATER,
                earlierSteps + 3,
                of.groupsPerStep(),
                of.samplesPerPrompt(),
                of.stepsPerVersion(),
                of.maxPolicyLag(),
                of.oversample(),
                of.maxRounds(),
                of.filter(),
                of.staleSamples());
        Adoption adoption = new Adoption(saved, world.logs().batches(), rules);
        world.logs().results().stream()
                .filter(entry ->
                        entry.offset() >= adoption.resultsFrom(world.logs().keptCuts()))
                .forEach(adoption::accept);
        world.logs().results().stream()
                .filter(entry -> entry.event() instanceof GroupSampled)
                .forEach(entry -> earlier.put(entry.id(), (GroupSampled) entry.event()));
        this.state = TrainingState.from(rules, adoption.cut());
        adoption.groups(1).forEach(group -> adopted.put(group.cursor(), group));
        adopted.values().forEach(this::apply);
        publish(0, 0, null);
        version = adoption.cut().weightVersion();
        if (earlierSteps > 0) {
            publish(version + 1, earlierSteps, version);
        }
    }

    int adoptedGroups() {
        return adopted.size();
    }

    int adoptedAndUsed() {
        return (int) used.stream().filter(adopted::containsKey).count();
    }

    /** @throws AssertionError where a promise is broken */
    void run() {
        for (int moves = 0; state.completedStep() < rules.steps(); moves++) {
            require(moves < 1000, "the run does not end although nothing fails");
            Optional<GroupAsk> ask = state.decideAsk(SLOTS);
            ask.ifPresent(state::apply);
            for (GroupAsk running : state.running()) {
                GroupSampled taken = adopted.get(running.cursor());
                require(
                        taken == null || running.round() > 0,
                        "a group that was taken over is sampled again: " + running);
                apply(sampled(running));
            }
            state.decideBatch().ifPresent(this::form);
            state.decideFiltered(1).ifPresent(this::form);
        }
        state.decideClosing().ifPresent(this::form);
        requireEveryPromptClosed();
    }

    private void form(BatchDraft draft) {
        BatchFormed batch = new BatchFormed(
                LATER, 1, draft.step(), draft.groups(), draft.dropped(), draft.cursorNext(), draft.weightVersion(), "");
        formed.add(batch);
        for (GroupUse use : batch.groups()) {
            require(used.add(use.cursor()), "used twice: " + use);
            require(!isClosedIn(saved, use.cursor()), "used by the cut already: " + use);
            GroupSampled taken = adopted.get(use.cursor());
            if (taken != null && use.round() == 0) {
                requireLag(use, taken, draft.weightVersion());
            }
        }
        append(batch);
        if (!batch.groups().isEmpty()) {
            int step = batch.step();
            boolean due = step % rules.stepsPerVersion() == 0;
            append(new StepCompleted(LATER, 1, step, due ? version + 1 : version, step, 1, 0, List.of(), Map.of()));
            if (due) {
                publish(version + 1, step, null);
            }
        }
    }

    /** Publications between the cut and the farthest token, and those since. */
    private void requireLag(GroupUse use, GroupSampled taken, int now) {
        GroupSampled of = earlier.get(taken.adoptedFrom().resultId());
        int distance = of.samples().stream()
                .flatMap(sample -> sample.versions().stream())
                .mapToInt(span -> Math.abs(span.version() - saved.weightVersion()))
                .max()
                .orElseThrow();
        int first = earlierSteps / rules.stepsPerVersion() + (earlierSteps > 0 ? 1 : 0);
        require(use.policyLag() == now - first + distance, "of another lag than %d: %s".formatted(distance, use));
    }

    private static boolean isClosedIn(CheckpointSaved cut, long cursor) {
        return cursor < cut.closedBelow() || cut.closedAbove().contains(cursor);
    }

    private void requireEveryPromptClosed() {
        Set<Long> closed = new HashSet<>(used);
        formed.stream()
                .flatMap(batch -> batch.dropped().stream())
                .filter(drop -> !drop.again())
                .map(GroupDrop::cursor)
                .forEach(closed::add);
        long next = formed.stream().mapToLong(BatchFormed::cursorNext).max().orElse(0);
        for (long cursor = 0; cursor < next; cursor++) {
            require(closed.contains(cursor) || isClosedIn(saved, cursor), "prompt " + cursor + " has no end");
        }
        require(adopted.keySet().stream().allMatch(closed::contains), "a group that was taken over has no end");
    }

    private GroupSampled sampled(GroupAsk ask) {
        GroupSampled plain = Groups.sampled(ask.cursor(), ask.round(), version, 1, 0);
        List<Sample> samples = plain.samples();
        return new GroupSampled(
                LATER,
                1,
                rules.groupId(ask.cursor()),
                ask.cursor(),
                ask.round(),
                0,
                plain.instanceId(),
                plain.promptTokens(),
                samples,
                0,
                0.1,
                null);
    }

    private void publish(int number, int step, @Nullable Integer supersedes) {
        version = number;
        append(new WeightsPublished(LATER, 1, number, step, Transport.DISK, "dir", "sha", supersedes));
    }

    private void append(Event event) {
        apply(event);
    }

    private void apply(Event event) {
        state.apply(new LogEntry<>(event, "l" + offset, 0, offset++));
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
