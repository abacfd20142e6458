package dev.sluice.trainer.loop;

import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.trainer.log.StepResults;
import dev.sluice.trainer.prompts.LessonGroups;
import dev.sluice.trainer.prompts.Lessons;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.util.List;

/** Given answers that steps were trained on: they stand in no log, their rows make them anew. */
record LessonResults(TrainingState state, TrainingPrompts prompts, LessonGroups lessons) implements StepResults {

    static LessonResults of(TrainedRun run, TrainingState state) {
        TrainingPrompts prompts = TrainingPrompts.read(run);
        Lessons lessons = Lessons.open(run.request(), run.plan().model().maxContextTokens());
        return new LessonResults(state, prompts, new LessonGroups(run, lessons));
    }

    @Override
    public List<GroupSampled> resultsOf(BatchFormed formed) {
        for (GroupUse use : formed.groups()) {
            LogEntry<Event> group = lessons.at(use.cursor(), prompts, state.groupsReadTo());
            if (!group.id().equals(use.resultId())) {
                throw new TrainingRefusedException(
                        "%s, its tokenizer or its template is not what step %d of run %s was trained on; restore it"
                                .formatted(lessons.run().request().data().prompts(), formed.step(), formed.runId()));
            }
            state.apply(group);
        }
        return state.resultsOf(formed.groups());
    }

    @Override
    public void close() {
        lessons.close();
    }
}
