package dev.sluice.rollout.task;

import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.SampleOutcome;
import dev.sluice.rollout.sampling.TurnAsk;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has environments answer the turns of samples; engines are free meanwhile. Used on the core's thread. */
record TurnAsks(Core core, Callable<GroupSampler> sampler, GroupFigures figures, Consumer<GroupWork> moved) {
    private static final Logger LOG = LoggerFactory.getLogger(TurnAsks.class);

    /** @param left until the group's samples must be complete */
    void ask(GroupWork work, TurnAsk ask, Duration left) {
        core.background("turn-" + ask.task().groupId(), () -> sampler.call().answer(ask, left), (outcome, failure) -> {
            if (work.answered() || work.ending() != null) {
                return;
            }
            SampleOutcome turned = outcome == null
                    ? new SampleOutcome.Unanswered(
                            ask.index(), ask.whole().tokens().length, "its turn could not be asked for: " + failure)
                    : outcome;
            if (turned instanceof SampleOutcome.Unanswered unanswered) {
                LOG.warn(
                        "a turn is unanswered groupId={} sample={} error={}",
                        ask.task().groupId(),
                        ask.index(),
                        unanswered.reason());
            }
            figures.turn(!(turned instanceof SampleOutcome.Unanswered));
            work.turned(ask, turned);
            moved.accept(work);
        });
    }
}
