package dev.sluice.trainer.evaluation;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Rollout;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Evaluation;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.prompts.PromptSet;
import dev.sluice.trainer.run.TrainedRun;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** The held-out sets of a run: measured before the first step, every so many steps where asked for, and after the last. */
public final class Evaluations {
    private static final String PROMPTS = "prompts";

    private final TrainedRun run;
    private final Map<Evaluation, PromptSet> sets = new LinkedHashMap<>();

    private Evaluations(TrainedRun run) {
        this.run = run;
    }

    public static Evaluations read(TrainedRun run) {
        Evaluations evaluations = new Evaluations(run);
        for (Evaluation set : setsOf(run.request())) {
            evaluations.sets.put(
                    set,
                    PromptSet.heldOut(
                            set.prompts(), run.request(), run.plan().model().maxContextTokens()));
        }
        return evaluations;
    }

    /** A run that trains nothing and names no set samples its prompts themselves. */
    private static List<Evaluation> setsOf(TrainingRequest request) {
        if (RunKind.of(request) != RunKind.ROLLOUT_ONLY || !request.evaluation().isEmpty()) {
            return request.evaluation();
        }
        Rollout rollout = request.rollout();
        return List.of(new Evaluation(
                PROMPTS,
                request.data().prompts(),
                0,
                rollout.samplesPerPrompt(),
                rollout.maxResponseTokens(),
                rollout.temperature()));
    }

    /** Files of samples by set, where the run trains nothing. */
    public Map<String, String> files() {
        Map<String, String> files = new LinkedHashMap<>();
        sets.keySet()
                .forEach(set ->
                        files.put(set.name(), sampleFiles().file(set.name()).toString()));
        return files;
    }

    private SampleFiles sampleFiles() {
        return new SampleFiles(
                run.folders().samples(), Path.of(run.request().model().path()));
    }

    /** The rows of a set. */
    public PromptSet prompts(Evaluation set) {
        return Objects.requireNonNull(sets.get(set));
    }

    /** Sets to measure after a step that were not measured yet. */
    public List<Evaluation> due(int step, TrainingState state) {
        return sets.keySet().stream()
                .filter(set -> isDue(set, step) && !state.isEvaluated(set.name(), step))
                .toList();
    }

    /**
     * The newest step with a set that is due and was not measured yet; it may have been begun before a recovery. None from
     * before the cut that a run goes on from: the run that saved it has measured those, and no engine of this one had their weights.
     */
    public OptionalInt newestDue(int step, TrainingState state) {
        boolean resumes = run.request().checkpoints().resumeFrom() != null;
        return IntStream.iterate(step, at -> at >= 0, at -> at - 1)
                .takeWhile(at -> !resumes || state.versionAfter(at) > 0)
                .filter(at -> sets.keySet().stream().anyMatch(set -> isDue(set, at)))
                .limit(1)
                .filter(at -> !due(at, state).isEmpty())
                .findFirst();
    }

    private boolean isDue(Evaluation set, int step) {
        return step == 0 || step == run.steps() || (set.everySteps() > 0 && step % set.everySteps() == 0);
    }

    /**
     * Begins to measure what is due after a step, with the weights of that step.
     *
     * @param bound after which it ends with what has been measured
     */
    public OngoingEvaluation begin(int step, GroupFlow flow, Duration bound, Clock clock) {
        int version = flow.look(state -> state.versionAfter(step));
        List<EvaluationRound> rounds = flow.look(state -> due(step, state)).stream()
                .map(set -> new EvaluationRound(run, set, Objects.requireNonNull(sets.get(set)), step, version, bound))
                .toList();
        SampleFiles files = run.kind().trains() ? null : sampleFiles();
        OngoingEvaluation begun =
                new OngoingEvaluation(step, version, rounds, clock.instant().plus(bound), flow, clock, files);
        flow.beginOtherWork(begun);
        return begun;
    }
}
