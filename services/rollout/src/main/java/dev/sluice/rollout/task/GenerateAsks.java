package dev.sluice.rollout.task;

import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.sampling.GenerateAsk;
import dev.sluice.rollout.sampling.GroupSampler;
import dev.sluice.rollout.sampling.RouterSession;
import dev.sluice.rollout.sampling.SampleOutcome;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Has functions of one's own generate samples, which ask engines by themselves. Used on the core's thread. */
record GenerateAsks(
        Core core,
        Callable<GroupSampler> sampler,
        DirectRequests direct,
        GroupFigures figures,
        Consumer<GroupWork> moved) {
    private static final Logger LOG = LoggerFactory.getLogger(GenerateAsks.class);
    /** Samples that are being generated so. */
    static final String FUNCTION = "function";

    /** @param left until the group's samples must be complete */
    void ask(GroupWork work, int index, Duration left) {
        RouterSession session = direct.open(work.task().runId(), work.bound());
        work.generating(index, session);
        GenerateAsk ask = new GenerateAsk(work.task(), index, session);
        core.background(
                "generate-" + work.task().groupId(), () -> sampler.call().generate(ask, left), (made, failure) -> {
                    direct.close(session);
                    if (work.answered() || work.ending() != null) {
                        return;
                    }
                    SampleOutcome outcome = made == null
                            ? new SampleOutcome.Unanswered(index, 0, "its function could not be asked: " + failure)
                            : made.outcomes().getFirst();
                    if (made != null) {
                        work.promptTokens(made.promptTokens());
                    }
                    if (outcome instanceof SampleOutcome.Unanswered unanswered) {
                        LOG.warn(
                                "a function generated no sample groupId={} sample={} error={}",
                                work.task().groupId(),
                                index,
                                unanswered.reason());
                    }
                    figures.hook("generate", outcome instanceof SampleOutcome.Accepted);
                    work.generated(index, outcome);
                    moved.accept(work);
                });
    }

    /** Nobody waits for the group: its functions are told so when they ask an engine again. */
    void end(GroupWork work) {
        work.sessions().forEach(direct::close);
    }
}
