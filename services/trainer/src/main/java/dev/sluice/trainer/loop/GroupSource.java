package dev.sluice.trainer.loop;

import dev.sluice.domain.training.GroupAsk;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.Event;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.prompts.LessonGroups;
import dev.sluice.trainer.prompts.Lessons;
import dev.sluice.trainer.prompts.TrainingPrompts;
import dev.sluice.trainer.run.TrainedRun;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where the groups of steps come from. */
sealed interface GroupSource extends AutoCloseable {

    static GroupSource of(TrainedRun run, GroupFlow flow, TrainingPrompts prompts) {
        return switch (run.kind()) {
            case REINFORCEMENT, ROLLOUT_ONLY -> new Sampled(flow);
            case SUPERVISED -> {
                Lessons lessons = Lessons.open(run.request(), run.plan().model().maxContextTokens());
                yield new Given(run, flow, prompts, new LessonGroups(run, lessons));
            }
        };
    }

    /** The run has begun. */
    void open();

    /** A step is to be formed. */
    void provide();

    /** Groups that the log says a step trains on are needed again. */
    void recall(List<GroupUse> uses);

    /** Makes lessons of held-out rows, where the run learns from lessons. */
    default @Nullable LessonGroups lessons() {
        return null;
    }

    @Override
    void close();

    /** Instances sample them; the log of results has them. */
    record Sampled(GroupFlow flow) implements GroupSource {
        @Override
        public void open() {
            flow.open();
        }

        @Override
        public void provide() {}

        @Override
        public void recall(List<GroupUse> uses) {}

        @Override
        public void close() {}
    }

    /** Rows of the prompt file are groups themselves, made when a step needs them. */
    record Given(TrainedRun run, GroupFlow flow, TrainingPrompts prompts, LessonGroups lessons) implements GroupSource {
        @Override
        public void open() {}

        @Override
        public void provide() {
            while (!flow.look(TrainingState::canForm)) {
                Optional<GroupAsk> ask =
                        flow.look(state -> state.decideAsk(run.rules().groupsPerStep()));
                if (ask.isEmpty()) {
                    return;
                }
                flow.look(state -> {
                    state.apply(ask.get());
                    return true;
                });
                flow.accept(group(ask.get().cursor()));
            }
        }

        @Override
        public void recall(List<GroupUse> uses) {
            uses.forEach(use -> flow.accept(group(use.cursor())));
        }

        private LogEntry<Event> group(long cursor) {
            return lessons.at(cursor, prompts, flow.look(TrainingState::groupsReadTo));
        }

        @Override
        public void close() {
            lessons.close();
        }
    }
}
