package dev.sluice.events;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** What became of groups, written by rollout instances; one ordered log a run. */
public sealed interface GroupEvent extends Event {

    String groupId();

    int round();

    int attempt();

    String instanceId();

    @About("An instance has taken a task: its lease, renewed by the instance's heartbeat")
    record GroupStarted(
            @About("The run") String runId,
            @About("Epoch of the trainer that asked") int epoch,
            @About("The group") String groupId,
            @About("The round") int round,
            @About("The attempt") int attempt,
            @About("The instance") String instanceId)
            implements GroupEvent {}

    @About("A finished group: the first one of a (group, round) in the log is its result")
    record GroupSampled(
            @About("The run") String runId,
            @About("Epoch of the trainer that asked") int epoch,
            @About("The group") String groupId,

            @About("Place in the prompt sequence; -1 for evaluation")
            long cursor,

            @About("The round") int round,
            @About("The attempt") int attempt,
            @About("The instance") String instanceId,
            @About("Token ids of the prompt") Int32Array promptTokens,
            @About("The responses, by index") List<Sample> samples,

            @About("Tokens generated for this attempt and thrown away")
            int tokensAborted,

            @About("Seconds from the task's start") double seconds,

            @About("What the run's own filter says of the group; absent where it has none or gave no answer") @Nullable
            Verdict verdict,

            @About("The result of an earlier run that this is, whose ledger has its tokens; absent for all others")
            @Nullable
            AdoptedResult adoptedFrom)
            implements GroupEvent {

        /** A group that the run's own engines have sampled. */
        public GroupSampled(
                String runId,
                int epoch,
                String groupId,
                long cursor,
                int round,
                int attempt,
                String instanceId,
                Int32Array promptTokens,
                List<Sample> samples,
                int tokensAborted,
                double seconds,
                @Nullable Verdict verdict) {
            this(
                    runId,
                    epoch,
                    groupId,
                    cursor,
                    round,
                    attempt,
                    instanceId,
                    promptTokens,
                    samples,
                    tokensAborted,
                    seconds,
                    verdict,
                    null);
        }

        public boolean evaluation() {
            return cursor < 0;
        }

        /** The same group with other samples. */
        public GroupSampled withSamples(List<Sample> others) {
            return new GroupSampled(
                    runId,
                    epoch,
                    groupId,
                    cursor,
                    round,
                    attempt,
                    instanceId,
                    promptTokens,
                    others,
                    tokensAborted,
                    seconds,
                    verdict,
                    adoptedFrom);
        }
    }

    @About("A result in an earlier run's log")
    record AdoptedResult(
            @About("The earlier run") String runId,
            @About("CloudEvents id of the result") String resultId) {}

    @About("A score that came after its sample, for samples that were unscored")
    record GroupScored(
            @About("The run") String runId,
            @About("Epoch of the trainer that asked") int epoch,
            @About("The group") String groupId,
            @About("The round") int round,
            @About("The attempt") int attempt,
            @About("The instance") String instanceId,
            @About("Reward by sample index") List<Double> rewards)
            implements GroupEvent {}

    @About("The instance could not finish the group")
    record GroupAbandoned(
            @About("The run") String runId,
            @About("Epoch of the trainer that asked") int epoch,
            @About("The group") String groupId,

            @About("Place in the prompt sequence; -1 for evaluation")
            long cursor,

            @About("The round") int round,
            @About("The attempt") int attempt,
            @About("The instance") String instanceId,
            @About("Why") String reason,
            @About("Tokens generated and thrown away") int tokensAborted)
            implements GroupEvent {}

    @About("An instance gives a group back with what it has of it, so that another one can go on")
    record SamplesParked(
            @About("The run") String runId,
            @About("Epoch of the trainer that asked") int epoch,
            @About("The group") String groupId,

            @About("Place in the prompt sequence; -1 for evaluation")
            long cursor,

            @About("The round") int round,
            @About("The attempt") int attempt,
            @About("The instance") String instanceId,
            @About("Why") String reason,

            @About("Whole samples, and begun ones that ended as parked")
            List<Sample> samples,

            @About("Tokens generated for this attempt and thrown away")
            int tokensAborted)
            implements GroupEvent {}

    @About("Whether a group is to be trained on")
    record Verdict(
            @About("It is") boolean keep,
            @About("Why it is not") @Nullable String reason,

            @About("It is all the same where a step would lack groups")
            boolean keepWhenInsufficient) {}

    @About("One response")
    record Sample(
            @About("Index in the group") int index,

            @About("Token ids of the response, its end token included")
            Int32Array tokens,

            @About("Log-probability of each token under the engine, logits divided by the temperature")
            Float32Array logprobs,

            @About("1 where a token may be trained on") UInt8Array lossMask,

            @About("Reward; absent while unscored") @Nullable
            Double reward,

            @About("Why there is no reward") @Nullable String unscored,
            @About("Why it ended") FinishReason finishReason,

            @About("Weight versions by run of tokens, oldest first")
            List<VersionSpan> versions,

            @About("The engine") String engineId,

            @About("Verification steps of speculative decoding")
            int verifies,

            @About("Draft tokens accepted") int acceptedDrafts,
            @About("Draft tokens proposed") int proposedDrafts,
            @About("Routed experts (reserved)") @Nullable Int32Array routedExperts,

            @About("Ids kept by nucleus sampling (reserved)") @Nullable
            Int32Array topPTokenIds,

            @About("Name of the LoRA adapter (reserved)") @Nullable
            String loraName,

            @About("Inputs other than text (reserved)") @Nullable
            String multimodal) {

        /** The oldest weight version that sampled a token of this response. */
        public int oldestVersion() {
            return versions.stream().mapToInt(VersionSpan::version).min().orElse(0);
        }

        /** The same response with another mask. */
        public Sample withLossMask(UInt8Array mask) {
            return with(mask, versions);
        }

        /** The same response by weight versions of other numbers. */
        public Sample withVersions(List<VersionSpan> spans) {
            return with(lossMask, spans);
        }

        private Sample with(UInt8Array mask, List<VersionSpan> spans) {
            return new Sample(
                    index,
                    tokens,
                    logprobs,
                    mask,
                    reward,
                    unscored,
                    finishReason,
                    spans,
                    engineId,
                    verifies,
                    acceptedDrafts,
                    proposedDrafts,
                    routedExperts,
                    topPTokenIds,
                    loraName,
                    multimodal);
        }
    }

    @About("Tokens in a row sampled by one weight version")
    record VersionSpan(
            @About("Weight version") int version,
            @About("Tokens") int tokens) {}

    enum FinishReason {
        STOP,
        LENGTH,
        FAILED,
        PARKED
    }
}
