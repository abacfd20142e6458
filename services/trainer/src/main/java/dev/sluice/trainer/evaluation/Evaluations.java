package dev.sluice.trainer.evaluation;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingRequest.Evaluation;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.prompts.PromptSet;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The held-out sets of a run: measured before the first step, every so many steps where asked for, and after the last. */
public final class Evaluations {
    private final TrainedRun run;
    private final Map<Evaluation, PromptSet> sets = new LinkedHashMap<>();

    private Evaluations(TrainedRun run) {
        this.run = run;
    }

    public static Evaluations read(TrainedRun run) {
        Evaluations evaluations = new Evaluations(run);
        for (Evaluation set : run.request().evaluation()) {
            evaluations.sets.put(set, PromptSet.heldOut(set.prompts(), run.request()));
        }
        return evaluations;
    }

    /** Sets to measure after a step that were not measured yet. */
    public List<Evaluation> due(int step, TrainingState state) {
        return sets.keySet().stream()
                .filter(set -> isDue(set, step) && !state.isEvaluated(set.name(), step))
                .toList();
    }

    private boolean isDue(Evaluation set, int step) {
        return step == 0 || step == run.steps() || (set.everySteps() > 0 && step % set.everySteps() == 0);
    }

    /** Begins a measurement with the newest weights; {@link Measurement#end} ends it. */
    public Measurement begin(Evaluation set, int step, GroupFlow flow) {
        PromptSet prompts = sets.get(set);
        if (prompts == null) {
            throw new IllegalStateException("set " + set.name() + " is not this run's");
        }
        Measurement measurement =
                new Measurement(new EvaluationRound(run, set, prompts, step, flow.look(TrainingState::version)), flow);
        flow.setOtherWork(measurement.round);
        return measurement;
    }

    /** A running measurement. */
    public static final class Measurement {
        private final EvaluationRound round;
        private final GroupFlow flow;

        private Measurement(EvaluationRound round, GroupFlow flow) {
            this.round = round;
            this.flow = flow;
        }

        /** To be asked with the flow's lock held. */
        public boolean isDone() {
            return round.isDone(flow.otherResults());
        }

        /** For people. */
        public String situation() {
            return "%d of %d prompts of %s measured"
                    .formatted(
                            flow.look(state -> round.measured(flow.otherResults())),
                            round.prompts().rows().size(),
                            round.set().name());
        }

        /** What it gave, as events to append. */
        public List<Event> end() {
            flow.setOtherWork(null);
            EvalCompleted completed = flow.look(state -> round.summary(flow.otherResults()));
            return List.of(
                    completed,
                    new MetricPoint(
                            completed.runId(),
                            "eval/" + completed.set(),
                            completed.step(),
                            0,
                            completed.meanReward(),
                            Instant.now()));
        }
    }
}
