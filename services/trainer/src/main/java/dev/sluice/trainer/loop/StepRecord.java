package dev.sluice.trainer.loop;

import dev.sluice.domain.training.MemoryRungs;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.metrics.LessonFigures;
import dev.sluice.trainer.metrics.PolicyLags;
import dev.sluice.trainer.metrics.StepFigures;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.workerapi.TrainResult;
import java.util.Map;

/** What the log says of a step that was trained, with its figures. */
record StepRecord(TrainedRun run, GroupFlow flow, MemoryRungs rungs) {

    /**
     * The step's end.
     *
     * @param version the newest weights then
     * @param seconds since the step before
     * @param modelFigures of what models said of the batch
     */
    StepCompleted of(
            FormedStep formed, TrainResult result, int version, double seconds, Map<String, Double> modelFigures) {
        int step = formed.event().step();
        Map<String, Double> figures =
                StepFigures.of(formed.event(), formed.results(), formed.rows(), result.metrics(), seconds);
        figures.putAll(PolicyLags.figures(formed.event(), run.rules().maxPolicyLag()));
        figures.putAll(modelFigures);
        LessonFigures.keep(figures, run.kind());
        figures.putAll(StepFigures.filtered(flow.look(state -> state.filteredOf(step))));
        int trained = formed.rows().trainedTokens();
        return new StepCompleted(
                run.runId(),
                run.epoch(),
                step,
                version,
                flow.look(TrainingState::optimizerSteps) + result.metrics().optimizerSteps(),
                trained,
                formed.rows().responseTokens() - trained,
                PolicyLags.histogram(formed.event()),
                figures,
                result.weightsSha256(),
                rungs.of(step));
    }
}
