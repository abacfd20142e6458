package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import java.util.List;

/** What another instance has done of a task. It comes from a topic, so nothing of it is taken on trust. */
record ParkedSamples(GroupRequested task) {
    /** Those that this task can go on with: consistent, within its bounds, one for a place. */
    List<Sample> usable() {
        return task.parked().stream()
                .filter(sample -> sample.index() >= 0 && sample.index() < task.samples())
                .filter(sample -> task.parked().stream()
                                .filter(other -> other.index() == sample.index())
                                .count()
                        == 1)
                .filter(this::isConsistent)
                .filter(sample -> VersionBound.of(task).acceptsAll(sample.versions()))
                .toList();
    }

    private boolean isConsistent(Sample sample) {
        int tokens = sample.tokens().length();
        int spanned = sample.versions().stream().mapToInt(VersionSpan::tokens).sum();
        boolean begun = sample.finishReason() == FinishReason.PARKED;
        int most = task.sampling().maxTokens() - (begun ? 1 : 0);
        return sample.finishReason() != FinishReason.FAILED
                && tokens > 0
                && tokens <= most
                && spanned == tokens
                && sample.versions().stream().allMatch(span -> span.tokens() > 0)
                && sample.logprobs().length() == tokens
                && sample.lossMask().length() == tokens;
    }
}
