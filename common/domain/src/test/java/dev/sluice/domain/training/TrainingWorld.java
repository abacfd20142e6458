package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * A run in miniature around the real {@link TrainingState}: logs that only grow, rollout that delivers at least once, a worker
 * whose weights are the list of batches it was trained on, a guard that takes steps back, and a trainer that dies between any two
 * moves. Every move checks what must hold; a broken promise is an {@link AssertionError} with the moves that led there.
 */
final class TrainingWorld {
    private static final int SLOTS = 4;

    /** As a trainer allows, then it fails the run. */
    private static final int MAX_ROLLBACKS = 3;

    private final Random random;
    private final TrainingRules rules;
    private final boolean solvesEverything;
    private final Choices choices;
    private final CutRetention kept;
    private final RunLogs logs = new RunLogs();
    private final Moves moves = new Moves();
    private final RunInvariants invariants;
    private final Set<GroupAsk> tasks = new LinkedHashSet<>();
    private final Map<Long, List<String>> savedWeights = new HashMap<>();

    private final Set<GroupAsk> dispatched = new HashSet<>();
    private @Nullable TrainingState state;
    private int read;
    private @Nullable List<String> worker = new ArrayList<>();
    private @Nullable Unwritten unwritten;
    private long trimmed;

    /** A cut that is being written beside training: what is said of it is what was true when it began. */
    private record Unwritten(Cut cut, List<String> weights) {}

    /**
     * Rules that a test may break, to show that it is noticed.
     *
     * @param cutting what is written of a cut
     * @param trimming offset below which results are deleted, by the cuts that are kept
     * @param reading what of the logs of training and weights a new trainer takes for true
     */
    record Choices(
            Function<TrainingState, Cut> cutting,
            ToLongFunction<List<CheckpointSaved>> trimming,
            UnaryOperator<List<LogEntry<Event>>> reading) {}

    TrainingWorld(long seed, Choices choices) {
        // Scattered: seeds in a row would begin with nearly the same numbers, and all runs would be of one size.
        this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        this.choices = choices;
        this.rules = new TrainingRules(
                RUN,
                2 + random.nextInt(6),
                1 + random.nextInt(3),
                2,
                1 + random.nextInt(2),
                random.nextInt(3),
                random.nextInt(3),
                random.nextInt(3),
                DynamicFilter.values()[random.nextInt(3)],
                StaleSamples.values()[random.nextInt(3)]);
        this.kept = new CutRetention(1 + random.nextInt(3), random.nextInt(3), 0, step -> false);
        // A model that has learnt everything: only a filter without fallback cannot go on with it.
        this.solvesEverything = rules.filter() != DynamicFilter.NONZERO_STD && random.nextInt(4) == 0;
        this.invariants = new RunInvariants(rules, logs, moves);
        this.state = TrainingState.from(rules, Cut.START);
        publish(0, null);
        moves.add("rules " + rules);
    }

    int formedBatches() {
        return logs.steps().size();
    }

    TrainingRules rules() {
        return rules;
    }

    RunLogs logs() {
        return logs;
    }

    int rollbacks() {
        return logs.rollbacks();
    }

    /** Takes random moves with every kind of fault. */
    void disturb(int count) {
        for (int i = 0; i < count; i++) {
            // Work is more frequent than faults, or a story would end before its second cut.
            switch (random.nextInt(state == null ? 3 : 24)) {
                case 0 -> recoverIfDead();
                case 1 -> sampleSomething(true);
                case 2, 3, 4, 5 -> sampleSomething(false);
                case 6 -> readOne();
                case 7, 8 -> readAll();
                case 9 -> readAgain();
                case 10, 11, 12, 13, 14 -> step();
                case 15, 16 -> cut();
                case 17 -> commitCut();
                case 18 -> crash(random.nextBoolean());
                case 19 -> retireAndTrim();
                case 20 -> rollBack();
                default -> ask();
            }
            check();
        }
    }

    /** Lets everything work; the run must come to its end. */
    void finish() {
        for (int i = 0; i < 2000 && formedBatches() < rules.steps(); i++) {
            recoverIfDead();
            ask();
            if (!tasks.isEmpty()) {
                sampleWell(tasks.iterator().next());
            }
            readAll();
            step();
            check();
        }
        moves.require(formedBatches() == rules.steps(), "the run did not end although nothing fails any more");
        while (state == null) {
            recoverIfDead();
        }
        readAll();
        step();
        living().decideClosing().ifPresent(closing -> {
            moves.add("close " + closing.dropped());
            append(event(closing));
        });
        check();
        invariants.requireEveryPromptClosed();
    }

    /** A worker without a trainer may hold steps that were taken back; the next trainer looks before it takes it over. */
    private void check() {
        invariants.check(state == null ? null : worker);
    }

    private TrainingState living() {
        if (state == null) {
            throw new IllegalStateException("the trainer is dead");
        }
        return state;
    }

    private void ask() {
        if (state == null) {
            return;
        }
        Optional<GroupAsk> ask = state.decideAsk(SLOTS);
        if (ask.isPresent()) {
            moves.add("ask " + ask.get());
            state.apply(ask.get());
        }
        for (GroupAsk running : state.running()) {
            moves.require(
                    known().stream().noneMatch(entry -> RunLogs.isResultOf(entry, running)),
                    "a group that has a result is sampled again: " + running);
            moves.require(!isLeftOut(running), "a group that the filter leaves out is asked for again: " + running);
            moves.require(!logs.isUsedUp(running.cursor()), "a group that is used up is sampled again: " + running);
            if (dispatched.add(running)) {
                tasks.add(running);
            }
        }
    }

    private List<LogEntry<Event>> known() {
        return logs.results().subList(0, read);
    }

    /** Whether the first result of a round before this one is whole and has equal rewards. */
    private boolean isLeftOut(GroupAsk ask) {
        if (rules.filter() == DynamicFilter.NONE) {
            return false;
        }
        for (int round = 0; round < ask.round(); round++) {
            GroupAsk earlier = new GroupAsk(ask.cursor(), round, 0);
            Optional<Event> first = known().stream()
                    .filter(entry -> RunLogs.isResultOf(entry, earlier))
                    .findFirst()
                    .map(LogEntry::event);
            // A round that is dropped in the log was dropped for what was known then: a version not published yet.
            if (first.orElse(null) instanceof GroupSampled sampled
                    && RunLogs.isFlat(sampled)
                    && sampled.samples().getFirst().oldestVersion() <= logs.version()
                    && !logs.isDropped(earlier)) {
                return true;
            }
        }
        return false;
    }

    /** @param again whether the task stays, to be delivered once more */
    private void sampleSomething(boolean again) {
        if (tasks.isEmpty()) {
            return;
        }
        GroupAsk task = List.copyOf(tasks).get(random.nextInt(tasks.size()));
        if (!again) {
            tasks.remove(task);
        }
        int newest = logs.version();
        int roll = random.nextInt(10);
        if (roll == 0) {
            result(Groups.abandoned(task.cursor(), task.round()));
        } else if (roll == 1) {
            // By a version outside the bound, older or not published yet.
            result(Groups.sampled(task.cursor(), task.round(), random.nextInt(newest + 2), rewards()));
        } else {
            int oldest = Math.min(task.minimumVersion(), newest);
            int version = oldest + random.nextInt(newest - oldest + 1);
            int[] versions = version == newest ? new int[] {version} : new int[] {version, newest};
            result(Groups.spanned(task.cursor(), task.round(), versions, rewards()));
        }
    }

    private void sampleWell(GroupAsk task) {
        tasks.remove(task);
        result(Groups.sampled(task.cursor(), task.round(), logs.version(), rewards()));
    }

    private double[] rewards() {
        return new double[] {1, solvesEverything || random.nextInt(3) == 0 ? 1 : 0};
    }

    private void result(Event event) {
        moves.add("result "
                + (event instanceof GroupSampled sampled
                        ? "%s round %d of version %s"
                                .formatted(
                                        sampled.groupId(),
                                        sampled.round(),
                                        sampled.samples().getFirst().versions())
                        : event.toString()));
        logs.addResult(event);
    }

    private void readOne() {
        if (state != null && read < logs.results().size()) {
            state.apply(logs.results().get(read++));
        }
    }

    private void readAll() {
        while (state != null && read < logs.results().size()) {
            readOne();
        }
    }

    private void readAgain() {
        if (state != null && read > 0) {
            state.apply(logs.results().get(random.nextInt(read)));
        }
    }

    /** One verb of the loop: form, train, or complete. */
    private void step() {
        if (state == null || worker == null) {
            return;
        }
        if (state.formedStep() == state.completedStep()) {
            state.decideBatch().ifPresent(draft -> {
                moves.add("form " + draft);
                append(event(draft));
            });
            state.decideFiltered(1 + random.nextInt(4)).ifPresent(draft -> {
                moves.add("leave out " + draft);
                append(event(draft));
            });
        } else if (worker.size() < state.formedStep()) {
            train(worker.size() + 1);
        } else {
            complete(state.formedStep());
        }
    }

    private BatchFormed event(BatchDraft draft) {
        return new BatchFormed(
                RUN, 1, draft.step(), draft.groups(), draft.dropped(), draft.cursorNext(), draft.weightVersion(), "");
    }

    private void train(int step) {
        BatchFormed formed = living().formedAt(step).orElseThrow().event();
        moves.add("train " + step);
        String content = living().resultsOf(formed.groups()).stream()
                .map(group -> group.groupId() + ":" + group.round())
                .toList()
                .toString();
        moves.require(content.equals(RunLogs.contentOf(formed)), "step " + step + " trains on " + content);
        if (worker != null) {
            worker.add(content);
        }
        living().forgetUpTo(step);
    }

    private void complete(int step) {
        int version = logs.version();
        boolean due = step % rules.stepsPerVersion() == 0;
        moves.add("complete " + step);
        append(new StepCompleted(RUN, 1, step, due ? version + 1 : version, step, 1, 0, List.of(), Map.of()));
        if (due) {
            publish(step, null);
        }
    }

    /** @param supersedes the version that this one replaces, absent where it holds a new step */
    private void publish(int step, @Nullable Integer supersedes) {
        living().apply(logs.addWeights(
                new WeightsPublished(RUN, 1, logs.version() + 1, step, Transport.DISK, "dir", "sha", supersedes)));
    }

    private void cut() {
        if (state == null
                || worker == null
                || state.formedStep() != state.completedStep()
                || worker.size() != state.completedStep()
                || worker.isEmpty()
                || state.cuts().stream().anyMatch(saved -> saved.step() == living().completedStep())) {
            return;
        }
        moves.add("begin cut " + state.completedStep());
        unwritten = new Unwritten(choices.cutting().apply(state), List.copyOf(worker));
        if (random.nextBoolean()) {
            commitCut();
        }
    }

    /** The files are complete: now or steps later, or never, if the trainer dies before. */
    private void commitCut() {
        if (unwritten == null || state == null) {
            return;
        }
        Cut cut = unwritten.cut();
        // The cut's own place in the log names its files.
        long place = logs.trainingEnd();
        moves.add("cut " + cut);
        savedWeights.put(place, unwritten.weights());
        unwritten = null;
        append(new CheckpointSaved(
                RUN,
                1,
                cut.step(),
                cut.weightVersion(),
                cut.step(),
                "cut-" + place,
                "",
                false,
                cut.cursorNext(),
                cut.closedBelow(),
                cut.closedAbove(),
                cut.groupsOffset(),
                cut.trainingOffset(),
                ""));
    }

    private void retireAndTrim() {
        for (CheckpointSaved old : living().decideRetired(kept)) {
            moves.add("retire " + old.directory());
            append(new CheckpointRetired(RUN, 1, old.step(), old.directory()));
        }
        trimmed = Math.max(
                trimmed, Math.min(logs.results().size(), choices.trimming().applyAsLong(logs.keptCuts())));
        moves.add("results are deleted below " + trimmed);
    }

    /** As a guard does after a step: the record and the end of later cuts in one transaction, and then all is read again. */
    private void rollBack() {
        TrainingState before = living();
        int step = before.completedStep();
        if (step == 0 || before.formedStep() != step || logs.rollbacks() >= MAX_ROLLBACKS) {
            return;
        }
        int to = before.cuts().stream()
                .mapToInt(CheckpointSaved::step)
                .filter(cut -> cut < step)
                .max()
                .orElse(0);
        moves.add("roll back to " + to);
        logs.addTraining(new RolledBack(RUN, 1, step, to, before.version(), "too steep"));
        before.cuts().stream()
                .filter(cut -> cut.step() > to)
                .map(cut -> new CheckpointRetired(RUN, 1, cut.step(), cut.directory()))
                .forEach(logs::addTraining);
        crash(random.nextBoolean());
    }

    private void append(Event event) {
        living().apply(logs.addTraining(event));
    }

    private void crash(boolean workerDies) {
        moves.add("crash" + (workerDies ? " with its worker" : ""));
        state = null;
        unwritten = null;
        dispatched.clear();
        if (workerDies) {
            worker = null;
        }
    }

    private void recoverIfDead() {
        if (state != null) {
            return;
        }
        Cut cut = Cut.START;
        List<String> weights = List.of();
        List<CheckpointSaved> cuts = logs.keptCuts();
        for (CheckpointSaved saved : cuts.reversed()) {
            // Now and then a cut's files do not verify, and an older one serves; without any, nobody may have trimmed.
            boolean last = trimmed > 0 && saved == cuts.getFirst();
            if (last || random.nextBoolean()) {
                cut = Cut.of(saved);
                weights = savedWeights.getOrDefault(
                        Long.parseLong(saved.directory().substring(4)), List.of());
                break;
            }
        }
        moves.add("recover from " + cut);
        state = TrainingState.from(rules, cut);
        applyShuffled(cut);
        if (worker == null || worker.size() < cut.step() || !isOfTheLog(worker)) {
            worker = new ArrayList<>(weights);
        }
        while (worker.size() < state.formedStep()) {
            train(worker.size() + 1);
        }
        replaceWeightsTakenBack(worker.size());
    }

    /** As a trainer compares: the step, and the hash of the batch that was trained last. */
    private boolean isOfTheLog(List<String> trained) {
        List<BatchFormed> steps = logs.steps();
        return trained.isEmpty()
                || trained.size() <= steps.size()
                        && RunLogs.contentOf(steps.get(trained.size() - 1)).equals(trained.getLast());
    }

    /** Engines may hold weights of steps that were taken back; a trainer that dies before it says so leaves that to the next. */
    private void replaceWeightsTakenBack(int step) {
        if (living().isNewestWeightsTakenBack(step)) {
            if (random.nextInt(4) == 0) {
                crash(random.nextBoolean());
            } else {
                moves.add("publish step " + step + " again");
                publish(step, logs.version());
            }
        }
    }

    /** Topics have no common order: their records come interleaved in any way. */
    private void applyShuffled(Cut cut) {
        List<LogEntry<Event>> said = choices.reading().apply(logs.trainingAndWeights());
        List<LogEntry<Event>> results = logs.results();
        List<List<LogEntry<Event>>> left = new ArrayList<>(List.of(
                new ArrayList<>(said.stream()
                        .filter(entry -> !(entry.event() instanceof WeightEvent))
                        // What batches before it said is in the cut; all other records say the same at any time.
                        .filter(entry ->
                                !(entry.event() instanceof BatchFormed) || entry.offset() >= cut.trainingOffset())
                        .toList()),
                new ArrayList<>(said.stream()
                        .filter(entry -> entry.event() instanceof WeightEvent)
                        .toList()),
                new ArrayList<>(results.subList(
                        (int) Math.max(trimmed, Math.min(cut.groupsOffset(), results.size())), results.size()))));
        while (!left.isEmpty()) {
            List<LogEntry<Event>> topic = left.get(random.nextInt(left.size()));
            if (topic.isEmpty()) {
                left.remove(topic);
            } else {
                living().apply(topic.removeFirst());
            }
        }
        read = results.size();
    }
}
