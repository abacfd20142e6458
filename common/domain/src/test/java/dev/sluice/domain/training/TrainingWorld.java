package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointRetired;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
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
import org.jspecify.annotations.Nullable;

/**
 * A run in miniature around the real {@link TrainingState}: logs that only grow, rollout that delivers at least once, a worker
 * whose weights are the list of batches it was trained on, and a trainer that dies between any two moves. Every move checks
 * what must hold; a broken promise is an {@link AssertionError} with the moves that led there.
 */
final class TrainingWorld {
    private static final int SLOTS = 4;

    private final Random random;
    private final TrainingRules rules;
    private final boolean solvesEverything;
    private final Function<TrainingState, Cut> cutting;
    private final CutRetention kept;
    private final ToLongFunction<List<CheckpointSaved>> trimming;
    final List<LogEntry<Event>> results = new ArrayList<>();
    private final List<LogEntry<Event>> training = new ArrayList<>();
    private final List<LogEntry<Event>> weightsLog = new ArrayList<>();
    private final Set<GroupAsk> tasks = new LinkedHashSet<>();
    private final Map<Long, List<String>> savedWeights = new HashMap<>();
    private final List<String> moves = new ArrayList<>();

    private final Set<GroupAsk> dispatched = new HashSet<>();
    private @Nullable TrainingState state;
    private int read;
    private @Nullable List<String> worker = new ArrayList<>();
    private @Nullable Unwritten unwritten;
    private long trimmed;

    /** A cut that is being written beside training: what is said of it is what was true when it began. */
    private record Unwritten(Cut cut, List<String> weights) {}

    /**
     * @param cutting what is written of a cut, to show that a wrong rule is noticed
     * @param trimming offset below which results are deleted, by the cuts that are kept
     */
    TrainingWorld(long seed, Function<TrainingState, Cut> cutting, ToLongFunction<List<CheckpointSaved>> trimming) {
        // Scattered: seeds in a row would begin with nearly the same numbers, and all runs would be of one size.
        this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        this.cutting = cutting;
        this.trimming = trimming;
        this.rules = new TrainingRules(
                RUN,
                2 + random.nextInt(4),
                1 + random.nextInt(3),
                2,
                1 + random.nextInt(2),
                random.nextInt(3),
                random.nextInt(3),
                random.nextInt(3),
                DynamicFilter.values()[random.nextInt(3)],
                StaleSamples.values()[random.nextInt(3)]);
        this.kept = new CutRetention(1 + random.nextInt(2), random.nextInt(3), 0, step -> false);
        // A model that has learnt everything: only a filter without fallback cannot go on with it.
        this.solvesEverything = rules.filter() != DynamicFilter.NONZERO_STD && random.nextInt(4) == 0;
        this.state = TrainingState.from(rules, Cut.START);
        publish(0, 0);
        move("rules " + rules);
    }

    TrainingRules rules() {
        return rules;
    }

    int formedBatches() {
        return steps().size();
    }

    /** Takes random moves with every kind of fault. */
    void disturb(int count) {
        for (int i = 0; i < count; i++) {
            switch (random.nextInt(state == null ? 3 : 16)) {
                case 0 -> sampleSomething(true);
                case 1 -> sampleSomething(false);
                case 2 -> recoverIfDead();
                case 3, 4 -> ask();
                case 5, 6 -> readOne();
                case 7 -> readAgain();
                case 8, 9, 10 -> step();
                case 11 -> cut();
                case 12 -> crash(random.nextBoolean());
                case 13 -> commitCut();
                case 14 -> retireAndTrim();
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
            while (read < results.size()) {
                readOne();
            }
            step();
            check();
        }
        require(formedBatches() == rules.steps(), "the run did not end although nothing fails any more");
        recoverIfDead();
        while (read < results.size()) {
            readOne();
        }
        step();
        living().decideClosing().ifPresent(closing -> {
            move("close " + closing.dropped());
            append(event(closing));
        });
        requireEveryPromptClosed();
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
            move("ask " + ask.get());
            state.apply(ask.get());
        }
        for (GroupAsk running : state.running()) {
            require(
                    results.subList(0, read).stream().noneMatch(entry -> isResultOf(entry, running)),
                    "a group that has a result is sampled again: " + running);
            require(!isLeftOut(running), "a group that the filter leaves out is asked for again: " + running);
            require(!isUsedUp(running.cursor()), "a group that is used up is sampled again: " + running);
            if (dispatched.add(running)) {
                tasks.add(running);
            }
        }
    }

    /** Whether the first result of a round before this one is whole and has equal rewards. */
    private boolean isLeftOut(GroupAsk ask) {
        if (rules.filter() == DynamicFilter.NONE) {
            return false;
        }
        for (int round = 0; round < ask.round(); round++) {
            GroupAsk earlier = new GroupAsk(ask.cursor(), round, 0);
            Optional<Event> first = results.subList(0, read).stream()
                    .filter(entry -> isResultOf(entry, earlier))
                    .findFirst()
                    .map(LogEntry::event);
            // A round that is dropped in the log was dropped for what was known then: a version not published yet.
            if (first.orElse(null) instanceof GroupSampled sampled
                    && isFlat(sampled)
                    && sampled.samples().getFirst().oldestVersion() <= version()
                    && !isDropped(earlier)) {
                return true;
            }
        }
        return false;
    }

    private boolean isDropped(GroupAsk ask) {
        return batches().stream()
                .flatMap(formed -> formed.dropped().stream())
                .anyMatch(drop -> drop.cursor() == ask.cursor() && drop.round() == ask.round());
    }

    private static boolean isResultOf(LogEntry<Event> entry, GroupAsk ask) {
        return switch (entry.event()) {
            case GroupSampled sampled -> sampled.cursor() == ask.cursor() && sampled.round() == ask.round();
            case GroupAbandoned abandoned -> abandoned.cursor() == ask.cursor() && abandoned.round() == ask.round();
            case Event other -> false;
        };
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
        int newest = version();
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
        result(Groups.sampled(task.cursor(), task.round(), version(), rewards()));
    }

    private double[] rewards() {
        return new double[] {1, solvesEverything || random.nextInt(3) == 0 ? 1 : 0};
    }

    private static boolean isFlat(GroupSampled group) {
        return group.samples().stream()
                        .map(sample -> sample.reward())
                        .distinct()
                        .count()
                == 1;
    }

    private void result(Event event) {
        move("result " + brief(event));
        results.add(new LogEntry<>(event, "r" + results.size(), 0, results.size()));
    }

    private static String brief(Event event) {
        return switch (event) {
            case GroupSampled sampled ->
                "%s round %d of version %s"
                        .formatted(
                                sampled.groupId(),
                                sampled.round(),
                                sampled.samples().getFirst().versions());
            case Event other -> other.toString();
        };
    }

    private void readOne() {
        if (state != null && read < results.size()) {
            state.apply(results.get(read++));
        }
    }

    private void readAgain() {
        if (state != null && read > 0) {
            state.apply(results.get(random.nextInt(read)));
        }
    }

    /** One verb of the loop: form, train, or complete. */
    private void step() {
        if (state == null || worker == null) {
            return;
        }
        if (state.formedStep() == state.completedStep()) {
            state.decideBatch().ifPresent(draft -> {
                move("form " + draft);
                append(event(draft));
            });
            state.decideFiltered(1 + random.nextInt(4)).ifPresent(draft -> {
                move("leave out " + draft);
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
        move("train " + step);
        List<String> content = living().resultsOf(formed.groups()).stream()
                .map(group -> group.groupId() + ":" + group.round())
                .toList();
        require(content.equals(contentOf(formed)), "step " + step + " trains on " + content);
        if (worker != null) {
            worker.add(content.toString());
        }
        living().forgetUpTo(step);
    }

    private static List<String> contentOf(BatchFormed formed) {
        return formed.groups().stream()
                .map(use -> use.groupId() + ":" + use.round())
                .toList();
    }

    private void complete(int step) {
        int version = version();
        boolean due = step % rules.stepsPerVersion() == 0;
        move("complete " + step);
        append(new StepCompleted(RUN, 1, step, due ? version + 1 : version, step, 1, 0, List.of(), Map.of()));
        if (due) {
            publish(version + 1, step);
        }
    }

    private void publish(int version, int step) {
        LogEntry<Event> entry = new LogEntry<>(
                new WeightsPublished(RUN, 1, version, step, Transport.DISK, "dir", "sha", null),
                "w" + version,
                0,
                weightsLog.size());
        weightsLog.add(entry);
        living().apply(entry);
    }

    private int version() {
        return weightsLog.size() - 1;
    }

    private void cut() {
        if (state == null
                || worker == null
                || state.formedStep() != state.completedStep()
                || worker.size() != state.completedStep()
                || worker.isEmpty()) {
            return;
        }
        move("begin cut " + state.completedStep());
        unwritten = new Unwritten(cutting.apply(state), List.copyOf(worker));
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
        long place = training.size();
        move("cut " + cut);
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
            move("retire " + old.directory());
            append(new CheckpointRetired(RUN, 1, old.step(), old.directory()));
        }
        trimmed = Math.max(trimmed, Math.min(results.size(), trimming.applyAsLong(keptCuts())));
        move("results are deleted below " + trimmed);
    }

    List<CheckpointSaved> keptCuts() {
        List<CheckpointSaved> cuts = new ArrayList<>();
        for (LogEntry<Event> entry : training) {
            if (entry.event() instanceof CheckpointSaved saved) {
                cuts.add(saved);
            } else if (entry.event() instanceof CheckpointRetired retired) {
                cuts.removeIf(cut -> cut.directory().equals(retired.directory()));
            }
        }
        return cuts;
    }

    private void append(Event event) {
        LogEntry<Event> entry = new LogEntry<>(event, "t" + training.size(), 0, training.size());
        training.add(entry);
        living().apply(entry);
    }

    private void crash(boolean workerDies) {
        move("crash" + (workerDies ? " with its worker" : ""));
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
        List<CheckpointSaved> cuts = keptCuts();
        for (CheckpointSaved saved : cuts.reversed()) {
            // Now and then a cut's files do not verify, and an older one serves; without any, nobody may have trimmed.
            boolean last = trimmed > 0 && saved == cuts.getFirst();
            if (last || random.nextInt(4) > 0) {
                cut = Cut.of(saved);
                weights = savedWeights.getOrDefault(
                        Long.parseLong(saved.directory().substring(4)), List.of());
                break;
            }
        }
        move("recover from " + cut);
        state = TrainingState.from(rules, cut);
        applyShuffled(cut);
        if (worker == null || worker.size() < cut.step()) {
            worker = new ArrayList<>(weights);
        }
        while (worker.size() < state.formedStep()) {
            train(worker.size() + 1);
        }
    }

    /** Topics have no common order: their records come interleaved in any way. */
    private void applyShuffled(Cut cut) {
        List<List<LogEntry<Event>>> topics = List.of(
                new ArrayList<>(
                        training.subList((int) Math.min(cut.trainingOffset(), training.size()), training.size())),
                new ArrayList<>(weightsLog),
                new ArrayList<>(results.subList(
                        (int) Math.max(trimmed, Math.min(cut.groupsOffset(), results.size())), results.size())));
        List<List<LogEntry<Event>>> left = new ArrayList<>(topics);
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

    List<BatchFormed> batches() {
        return training.stream()
                .map(LogEntry::event)
                .filter(BatchFormed.class::isInstance)
                .map(BatchFormed.class::cast)
                .toList();
    }

    private List<BatchFormed> steps() {
        return batches().stream().filter(formed -> !formed.groups().isEmpty()).toList();
    }

    private boolean isUsedUp(long cursor) {
        return batches().stream()
                .anyMatch(formed -> formed.groups().stream().anyMatch(use -> use.cursor() == cursor)
                        || formed.dropped().stream().anyMatch(drop -> drop.cursor() == cursor && !drop.again()));
    }

    private void check() {
        Set<Long> closed = new HashSet<>();
        Set<String> roundsDropped = new HashSet<>();
        int step = 0;
        for (BatchFormed formed : batches()) {
            for (GroupDrop drop : formed.dropped()) {
                require(roundsDropped.add(drop.groupId() + ":" + drop.round()), "dropped twice: " + drop);
                require(drop.again() || closed.add(drop.cursor()), "used up twice: " + drop);
                requireEarlierRoundsDropped(drop.groupId(), drop.round(), roundsDropped);
                checkFiltered(drop);
            }
            for (GroupUse use : formed.groups()) {
                require(closed.add(use.cursor()), "used up twice: " + use);
                String round = use.groupId() + ":" + use.round();
                require(!roundsDropped.contains(round), "used after it was dropped: " + use);
                requireEarlierRoundsDropped(use.groupId(), use.round(), roundsDropped);
                requireAge(use, formed.weightVersion());
                GroupAsk used = new GroupAsk(use.cursor(), use.round(), 0);
                require(use.resultId().equals(firstResult(used)), "not the first result: " + use);
                require(
                        rules.filter() != DynamicFilter.NONZERO_STD || !isFlat(used),
                        "trained on although nothing is learnt from it: " + use);
            }
            if (!formed.groups().isEmpty()) {
                require(formed.step() == ++step, "steps are not in order: " + formed);
                require(formed.groups().size() == rules.groupsPerStep(), "of another size: " + formed);
            }
        }
        if (worker != null) {
            List<String> logged =
                    steps().stream().map(formed -> contentOf(formed).toString()).toList();
            require(
                    worker.size() <= logged.size() && worker.equals(logged.subList(0, worker.size())),
                    "weights %s differ from the log %s".formatted(worker, logged));
        }
    }

    private void requireAge(GroupUse use, int version) {
        require(use.policyLag() == version - oldestVersion(use.resultId()), "of another lag: " + use);
        boolean within = use.policyLag() <= rules.maxPolicyLag();
        int trainedFrom = within || rules.staleSamples() != StaleSamples.MASK ? 0 : version - rules.maxPolicyLag();
        require(within || rules.staleSamples() != StaleSamples.DROP, "older than the run allows: " + use);
        require(
                use.trainedFrom() == trainedFrom,
                "masked below another version than %d: %s".formatted(trainedFrom, use));
    }

    private void requireEarlierRoundsDropped(String groupId, int last, Set<String> roundsDropped) {
        for (int round = 0; round < last; round++) {
            String name = groupId + ":" + round;
            require(roundsDropped.contains(name), "tokens are in no bucket: " + name);
        }
    }

    private void checkFiltered(GroupDrop drop) {
        if (drop.reason() == DropReason.FILTERED) {
            GroupAsk dropped = new GroupAsk(drop.cursor(), drop.round(), 0);
            require(rules.filter() != DynamicFilter.NONE, "no filter is set: " + drop);
            require(!drop.again(), "to be asked for again: " + drop);
            require(isFlat(dropped), "its rewards differ: " + drop);
            require(firstResult(dropped).equals(drop.resultId()), "not the first result: " + drop);
        }
    }

    private boolean isFlat(GroupAsk ask) {
        return firstOf(ask)
                .filter(entry -> entry.event() instanceof GroupSampled sampled && isFlat(sampled))
                .isPresent();
    }

    private int oldestVersion(String resultId) {
        GroupSampled result = (GroupSampled)
                results.get(Integer.parseInt(resultId.substring(1))).event();
        return result.samples().stream()
                .mapToInt(sample -> sample.oldestVersion())
                .min()
                .orElseThrow();
    }

    private String firstResult(GroupAsk ask) {
        return firstOf(ask).map(LogEntry::id).orElse("none");
    }

    private Optional<LogEntry<Event>> firstOf(GroupAsk ask) {
        return results.stream().filter(entry -> isResultOf(entry, ask)).findFirst();
    }

    private void requireEveryPromptClosed() {
        check();
        long next = batches().stream().mapToLong(BatchFormed::cursorNext).max().orElse(0);
        for (long cursor = 0; cursor < next; cursor++) {
            require(isUsedUp(cursor), "prompt " + cursor + " has no end");
        }
        for (LogEntry<Event> entry : results) {
            if (entry.event() instanceof GroupSampled sampled) {
                require(sampled.cursor() < next, "tokens of " + sampled.groupId() + " are in no bucket");
            }
        }
    }

    private void move(String what) {
        moves.add(what);
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise + "\n  " + String.join("\n  ", moves));
        }
    }
}
