package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.DropReason;
import java.util.Objects;
import java.util.Optional;

/** Whether a result can be trained on. What an instance writes is checked here before anything relies on it. */
final class ResultCheck {
    private ResultCheck() {}

    /** Why a result is dropped, for the log and for people. */
    record Objection(DropReason reason, String why) {}

    /**
     * @param minimumVersion the bound that the group was asked for with
     * @param currentVersion the newest published version
     */
    static Optional<Objection> objection(
            GroupResult result, TrainingRules rules, int minimumVersion, int currentVersion) {
        return switch (result) {
            case GroupResult.Abandoned abandoned ->
                Optional.of(new Objection(
                        DropReason.ABANDONED, abandoned.entry().event().reason()));
            case GroupResult.Sampled sampled ->
                broken(sampled.entry().event(), rules, currentVersion)
                        .map(why -> new Objection(DropReason.ABANDONED, why))
                        // Before staleness: what a filter leaves out is not asked for again, however old it becomes.
                        .or(() -> filtered(sampled.entry().event(), rules))
                        .or(() -> stale(sampled, rules, minimumVersion, currentVersion));
        };
    }

    /** Whether a result is too old to be trained on, whatever else is said of it. */
    static boolean isStale(GroupResult.Sampled result, TrainingRules rules, int minimumVersion, int currentVersion) {
        return stale(result, rules, minimumVersion, currentVersion).isPresent();
    }

    private static Optional<Objection> filtered(GroupSampled group, TrainingRules rules) {
        if (group.verdict() != null && !group.verdict().keep()) {
            return Optional.of(new Objection(
                    DropReason.FILTERED,
                    Objects.requireNonNullElse(group.verdict().reason(), "hook")));
        }
        return rules.filter() == DynamicFilter.NONE
                ? Optional.empty()
                : RewardSpread.objection(group).map(reason -> new Objection(DropReason.FILTERED, reason));
    }

    private static Optional<Objection> stale(
            GroupResult.Sampled result, TrainingRules rules, int minimumVersion, int currentVersion) {
        int oldest = result.oldestVersion();
        // Whatever the policy about old samples: this one breaks the bound that it was asked for with.
        if (oldest < minimumVersion) {
            return Optional.of(new Objection(
                    DropReason.STALE,
                    "sampled by version %d, asked for with version %d or newer".formatted(oldest, minimumVersion)));
        }
        int lag = currentVersion - oldest;
        return lag <= rules.maxPolicyLag() || keepsStale(result, rules, currentVersion)
                ? Optional.empty()
                : Optional.of(new Objection(
                        DropReason.STALE,
                        "sampled by version %d, %d publications ago; the run allows %d"
                                .formatted(oldest, lag, rules.maxPolicyLag())));
    }

    private static boolean keepsStale(GroupResult.Sampled result, TrainingRules rules, int currentVersion) {
        return switch (rules.staleSamples()) {
            case DROP -> false;
            case MASK -> StaleMask.leavesSome(result.entry().event(), rules.oldestWithinLag(currentVersion));
            case CORRECT -> true;
        };
    }

    private static Optional<String> broken(GroupSampled group, TrainingRules rules, int currentVersion) {
        if (group.samples().size() != rules.samplesPerPrompt()) {
            return Optional.of(
                    "has %d samples, asked for %d".formatted(group.samples().size(), rules.samplesPerPrompt()));
        }
        if (group.promptTokens().length() == 0) {
            return Optional.of("has no prompt tokens");
        }
        return group.samples().stream()
                .flatMap(sample -> problem(sample, currentVersion).stream())
                .findFirst();
    }

    private static Optional<String> problem(Sample sample, int currentVersion) {
        int length = sample.tokens().length();
        if (sample.finishReason() == FinishReason.FAILED || length == 0) {
            return Optional.of("sample %d failed after %d tokens".formatted(sample.index(), length));
        }
        if (sample.finishReason() == FinishReason.PARKED) {
            return Optional.of("sample %d was not finished after %d tokens".formatted(sample.index(), length));
        }
        if (sample.logprobs().length() != length || sample.lossMask().length() != length) {
            return Optional.of("sample %d has %d tokens, %d log-probabilities and %d mask entries"
                    .formatted(
                            sample.index(),
                            length,
                            sample.logprobs().length(),
                            sample.lossMask().length()));
        }
        if (sample.reward() == null || !Double.isFinite(sample.reward())) {
            return Optional.of("sample %d has no reward: %s".formatted(sample.index(), sample.unscored()));
        }
        int spanned = sample.versions().stream().mapToInt(span -> span.tokens()).sum();
        boolean known = sample.versions().stream()
                .allMatch(span -> span.version() >= 0 && span.version() <= currentVersion && span.tokens() >= 0);
        return spanned == length && known
                ? Optional.empty()
                : Optional.of("sample %d has version spans %s for %d tokens at version %d"
                        .formatted(sample.index(), sample.versions(), length, currentVersion));
    }
}
