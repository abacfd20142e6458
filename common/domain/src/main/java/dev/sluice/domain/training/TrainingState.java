package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.WeightEvent;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * A run as its trainer sees it. {@code decide} functions change nothing and say what to do; {@code apply} takes what stands
 * in the logs. A new trainer starts from a cut and applies both logs from the cut's offsets, in any order across topics, and
 * is then where the old one was. Not thread-safe.
 *
 * <p>It keeps these: a group is used up at most once; a step is formed once; a finished result that nothing has used is
 * never asked for again; every prompt below the cursor ends used or dropped with a reason.
 */
public final class TrainingState {
    private final TrainingRules rules;
    private final GroupBook groups;
    private final TrainingProgress progress;

    private TrainingState(TrainingRules rules, Cut cut) {
        this.rules = rules;
        this.groups = new GroupBook(rules, cut);
        this.progress = new TrainingProgress(cut);
    }

    /** The state that a cut describes; {@link Cut#START} for a run without one. */
    public static TrainingState from(TrainingRules rules, Cut cut) {
        return new TrainingState(rules, cut);
    }

    /**
     * Takes a record of the run's logs; records of other runs and kinds change nothing but the place read to.
     *
     * @throws IllegalStateException if the training log contradicts itself
     */
    public void apply(LogEntry<? extends Event> entry) {
        switch (entry.event()) {
            case GroupEvent event -> {
                groups.readTo(entry.offset() + 1);
                if (event.runId().equals(rules.runId())) {
                    applyGroup(event, entry);
                }
            }
            case TrainingEvent event -> {
                progress.readTo(entry.offset() + 1);
                if (event.runId().equals(rules.runId())) {
                    applyTraining(event, entry);
                }
            }
            case WeightEvent event -> {
                if (event.runId().equals(rules.runId())) {
                    progress.apply(event);
                }
            }
            case MetricPoint figure -> {} // says nothing that its step does not
            case Event other ->
                throw new IllegalArgumentException(other.getClass().getSimpleName() + " is no part of a run's logs");
        }
    }

    private void applyGroup(GroupEvent event, LogEntry<? extends Event> entry) {
        switch (event) {
            case GroupSampled sampled ->
                groups.apply(new GroupResult.Sampled(
                        new LogEntry<>(sampled, entry.id(), entry.partition(), entry.offset())));
            case GroupEvent.GroupAbandoned abandoned ->
                groups.apply(new GroupResult.Abandoned(
                        new LogEntry<>(abandoned, entry.id(), entry.partition(), entry.offset())));
            case GroupEvent.GroupStarted started -> {}
            case GroupEvent.SamplesParked parked -> {}
            case GroupEvent.GroupScored scored -> {}
        }
    }

    private void applyTraining(TrainingEvent event, LogEntry<? extends Event> entry) {
        switch (event) {
            case BatchFormed formed -> {
                // Drops first: a batch may drop a group's round and use its next one.
                groups.apply(formed, entry.offset());
                if (progress.apply(new LogEntry<>(formed, entry.id(), entry.partition(), entry.offset()))) {
                    groups.use(formed);
                }
            }
            case TrainingEvent.StepCompleted completed -> progress.apply(completed);
            case CheckpointSaved saved -> progress.apply(saved);
            case TrainingEvent.CheckpointRetired retired -> progress.apply(retired);
            case TrainingEvent.EvalCompleted completed -> progress.apply(completed);
            case TrainingEvent.TrainerReady ready -> {}
            case TrainingEvent.WaitChanged wait -> {}
            case TrainingEvent.WorkerWorked worked -> {}
            case TrainingEvent.WorkerFellBack fellBack -> {}
            case TrainingEvent.GuardTripped tripped -> {}
            case TrainingEvent.GuardReleased released -> {}
            case TrainingEvent.RolledBack taken -> {}
            case TrainingEvent.TrainerLost lost -> {}
            case TrainingEvent.RolloutFinished finished -> {}
            case TrainingEvent.CheckpointAdopted adopted -> {}
        }
    }

    /** Notes that a group is asked for. In no log: a new trainer asks again, for the same group. */
    public void apply(GroupAsk ask) {
        groups.apply(ask);
    }

    /**
     * The next group to ask for, if any: first those below the cursor without a result, then the next prompts as far as
     * capacity goes. Apply it before asking again.
     *
     * @param slots groups that engines can take at once
     */
    public Optional<GroupAsk> decideAsk(int slots) {
        Standings open = open();
        OptionalLong again = open.firstUnasked();
        if (again.isPresent()) {
            long cursor = again.getAsLong();
            int round = ((Standing.Wanted) open.open().get(cursor)).round();
            return Optional.of(ask(cursor, round, open.placesBelow(cursor)));
        }
        long trained = (long) progress.formedStep() * rules.groupsPerStep();
        int running = open.wanted();
        int capacity = Capacity.of(rules, progress.regularPublications(), trained + open.accepted(), running, slots);
        return capacity == 0 ? Optional.empty() : Optional.of(ask(groups.cursorNext(), 0, open.accepted() + running));
    }

    private GroupAsk ask(long cursor, int round, int others) {
        long trained = (long) progress.formedStep() * rules.groupsPerStep();
        int minimum = Capacity.minimumVersion(rules, trained + others) + progress.replacements();
        return new GroupAsk(cursor, round, Math.min(minimum, version()));
    }

    /** Groups that were asked for and have no result, lowest cursor first. */
    public List<GroupAsk> running() {
        List<GroupAsk> running = new ArrayList<>();
        open().open().forEach((cursor, standing) -> {
            if (standing instanceof Standing.Wanted wanted) {
                groups.ask(cursor).filter(ask -> ask.round() == wanted.round()).ifPresent(running::add);
            }
        });
        return running;
    }

    /** Groups that could be in flight now if engines were no limit: what scaling of the rollout goes by. */
    public int demand() {
        int running = running().size();
        long accepted = (long) progress.formedStep() * rules.groupsPerStep() + open().accepted();
        return running + Capacity.of(rules, progress.regularPublications(), accepted, running, Integer.MAX_VALUE);
    }

    /** Groups whose result can be trained on and that no filter leaves out. */
    public int ready() {
        return open().ready();
    }

    private Standings open() {
        return groups.standings(version());
    }

    private BatchChoice choice() {
        return new BatchChoice(open(), rules, version());
    }

    /** The next step's groups, once enough are ready: oldest version first, then by cursor. */
    public Optional<BatchDraft> decideBatch() {
        BatchChoice choice = choice();
        return choice.isEnough() && progress.formedStep() < rules.steps()
                ? Optional.of(new BatchDraft(
                        progress.formedStep() + 1, choice.uses(), choice.drops(), groups.cursorNext(), version()))
                : Optional.empty();
    }

    /**
     * The next step with fewer groups than it should have; those on the way serve the step after it.
     *
     * @param least groups that have to be ready
     */
    public Optional<BatchDraft> decideFewer(int least) {
        BatchChoice choice = choice();
        return choice.fewerUses().size() >= Math.max(1, least) && progress.formedStep() < rules.steps()
                ? Optional.of(new BatchDraft(
                        progress.formedStep() + 1,
                        choice.fewerUses(),
                        choice.fewerDrops(),
                        groups.cursorNext(),
                        version()))
                : Optional.empty();
    }

    /**
     * Closes groups that a filter leaves out before a step is formed, once there are many: a model that solves every prompt
     * would fill the memory and the record of the next step with them.
     *
     * @param many from how many on
     */
    public Optional<BatchDraft> decideFiltered(int many) {
        return open().filteredOut() < many || isEnough()
                ? Optional.empty()
                : Optional.of(new BatchDraft(
                        progress.formedStep(), List.of(), choice().filteredDrops(), groups.cursorNext(), version()));
    }

    /** Groups that filters have left out of a formed step, by reason. */
    public Map<String, Integer> filteredOf(int step) {
        return groups.filtered().of(step);
    }

    private String because() {
        return rules.filter() == DynamicFilter.NONE
                ? "by rollout.hooks.dynamicFilter"
                : "because their rewards are all equal (rollout.dynamicFilter)";
    }

    /** How the next step's groups stand, for people; names a filter that keeps a step waiting. */
    public String situation() {
        Standings open = open();
        int filtered = open.filteredOut() + open.rejected() + groups.filtered().total(progress.formedStep() + 1);
        String situation = "%d groups ready, %d asked for"
                .formatted(open.ready(), running().size());
        return filtered == 0
                ? situation
                : "%s, %d of the last %d groups filtered %s"
                        .formatted(situation, filtered, filtered + open.ready(), because());
    }

    /**
     * Closes groups that are still open when no step follows, so that no token is left unaccounted for. Apply it and ask again: an
     * event holds 1 MiB, and thousands may be open.
     */
    public Optional<BatchDraft> decideClosing() {
        List<GroupDrop> drops = ClosingDrops.of(groups, rules, version());
        return drops.isEmpty()
                ? Optional.empty()
                : Optional.of(new BatchDraft(progress.formedStep(), List.of(), drops, groups.cursorSeen(), version()));
    }

    /** Whether enough groups are ready for the next step. */
    public boolean canForm() {
        return progress.formedStep() < rules.steps() && isEnough();
    }

    /** Told without choosing groups where it can be: each result asks it. */
    private boolean isEnough() {
        Standings open = open();
        return open.ready() >= rules.groupsPerStep() || open.rejected() > 0 && choice().isEnough();
    }

    /** Whether a round needs no more work: it has a result, or its group is used up. */
    public boolean isFinished(long cursor, int round) {
        return !groups.isOpen(cursor) || groups.result(cursor, round).isPresent();
    }

    /**
     * The results that a step trains on, in its order; tokens that it masks for their age are masked in them.
     *
     * @throws IllegalStateException if the log of results does not hold one of them, or not as the first of its group
     */
    public List<GroupSampled> resultsOf(List<GroupUse> uses) {
        return uses.stream().map(this::resultOf).toList();
    }

    private GroupSampled resultOf(GroupUse use) {
        return groups.result(use.cursor(), use.round())
                .filter(result -> result.entry().id().equals(use.resultId()))
                .filter(GroupResult.Sampled.class::isInstance)
                .map(result ->
                        StaleMask.of(((GroupResult.Sampled) result).entry().event(), use.trainedFrom()))
                .orElseThrow(() -> new IllegalStateException(
                        ("result %s of group %s, round %d, which a step of %s trains on, is not the first one in the log of"
                                        + " results (partition %d, offset %d); was the log trimmed? Resume from a later cut")
                                .formatted(
                                        use.resultId(),
                                        use.groupId(),
                                        use.round(),
                                        rules.runId(),
                                        use.partition(),
                                        use.offset())));
    }

    /** Forgets results that no step after this one needs, and which groups the steps before it have used. */
    public void forgetUpTo(int step) {
        groups.forget(progress.formedAfter(step).stream()
                .flatMap(entry -> entry.event().groups().stream())
                .toList());
        groups.filtered().forgetUpTo(step);
        progress.forgetBefore(step);
    }

    /**
     * What a cut after a step has to say.
     *
     * @throws IllegalStateException if a later step is already formed: its groups would be missing from the cut
     */
    public Cut decideCut() {
        if (progress.formedStep() != progress.completedStep()) {
            throw new IllegalStateException("a cut after step %d while step %d is formed"
                    .formatted(progress.completedStep(), progress.formedStep()));
        }
        return groups.cut(progress.completedStep(), version(), progress.readTo());
    }

    /** Steps formed after a step, in order: what a worker that holds that step still has to train. */
    public List<LogEntry<BatchFormed>> formedAfter(int step) {
        return List.copyOf(progress.formedAfter(step));
    }

    public Optional<LogEntry<BatchFormed>> formedAt(int step) {
        return progress.formedAt(step);
    }

    public int formedStep() {
        return progress.formedStep();
    }

    public int completedStep() {
        return progress.completedStep();
    }

    /** The newest published weight version. */
    public int version() {
        return progress.version();
    }

    public boolean anythingPublished() {
        return progress.anythingPublished();
    }

    /** Counts optimizer steps on from those of an earlier run. */
    public void goOnAfter(long optimizerSteps) {
        progress.goOnAfter(optimizerSteps);
    }

    public long optimizerSteps() {
        return progress.optimizerSteps();
    }

    /** Cuts that were saved and not retired, oldest first. */
    public List<CheckpointSaved> cuts() {
        return progress.cuts();
    }

    /** The cuts that are not to be kept any longer. */
    public List<CheckpointSaved> decideRetired(CutRetention retention) {
        return retention.retired(progress.cuts(), progress.evaluationScores());
    }

    /** Publications whose files are still there, oldest first. */
    public List<WeightsPublished> keptWeights() {
        return progress.kept();
    }

    /** Whether the newest version holds steps that were taken back: engines need the weights of this step again. */
    public boolean isNewestWeightsTakenBack(int step) {
        return progress.newest().filter(newest -> newest.step() > step).isPresent();
    }

    /** The newest publication, with files or without; absent before version 0. */
    public Optional<WeightsPublished> newestWeights() {
        return progress.newest();
    }

    /** What engines were told last to do with their GPUs; absent where they have them for themselves and load files. */
    public Optional<PhaseChanged> phase() {
        return progress.phase();
    }

    /** The newest weight version with nothing in it that was trained after this step. */
    public int versionAfter(int step) {
        return progress.versionAfter(step);
    }

    public boolean isEvaluated(String set, int step) {
        return progress.isEvaluated(set, step);
    }

    /** The first offset of the log of results that was not read. */
    public long groupsReadTo() {
        return groups.readTo();
    }
}
