package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.hook.HookException;
import dev.sluice.rollout.sampling.GroupSampler;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has rewards computed for complete groups, and then the run's own filter judge them; engines are free meanwhile, which may take minutes.
 * Used on the core's thread.
 */
record ScoreAsks(Core core, Callable<GroupSampler> sampler, GroupFigures figures, Consumer<GroupWork> scored) {
    private static final Logger LOG = LoggerFactory.getLogger(ScoreAsks.class);

    /** @param promptTokens null where sampling has told them */
    private record Scored(
            int @Nullable [] promptTokens,
            List<Sample> samples,
            @Nullable Verdict verdict) {
        Scored withPrompt(int @Nullable [] tokens) {
            return new Scored(tokens, samples, verdict);
        }
    }

    /** @param left until the group must be done */
    void ask(GroupWork work, Duration left) {
        GroupRequested task = work.task();
        List<Sample> samples = work.beginScoring();
        long end = System.nanoTime() + left.toNanos();
        boolean sampledElsewhere = !work.hasPromptTokens();
        Callable<Scored> score = () -> score(task, samples, left, end)
                .withPrompt(sampledElsewhere ? sampler.call().promptTokens(task) : null);
        core.background("score-" + task.groupId(), score, (made, failure) -> {
            if (made != null) {
                if (made.promptTokens() != null) {
                    work.promptTokens(made.promptTokens());
                }
                work.scored(made.samples(), made.verdict());
            } else {
                work.unscored("rewards could not be asked for: " + failure);
            }
            if (!work.answered() && work.ending() == null) {
                scored.accept(work);
            }
        });
    }

    private Scored score(GroupRequested task, List<Sample> samples, Duration left, long end) throws Exception {
        List<Sample> scored = sampler.call().score(task, samples, left);
        try {
            Verdict verdict = sampler.call().judge(task, scored, Duration.ofNanos(end - System.nanoTime()));
            if (verdict != null) {
                figures.hook("dynamic-filter", true);
            }
            return new Scored(null, scored, verdict);
        } catch (HookException failure) {
            // A filter saves time; that it fails is no reason to lose the group.
            LOG.warn(
                    "a filter gave no verdict, so the group is kept groupId={} error={}",
                    task.groupId(),
                    failure.getMessage());
            figures.hook("dynamic-filter", false);
            return new Scored(null, scored, null);
        }
    }
}
