package dev.sluice.events;

import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.TrainingRequest.PartialRollout;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Work a trainer addresses to one rollout instance. */
public sealed interface GroupTask extends Event {

    /** The instance that is to do it; the record key. */
    String instanceId();

    String groupId();

    @Override
    default String key() {
        return instanceId();
    }

    @About("Sample and score one group of responses to one prompt")
    record GroupRequested(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,

            @About("<runId>/<cursor>, or <runId>/eval/<set>/<step>/<row>")
            String groupId,

            @About("Place in the prompt sequence; -1 for evaluation")
            long cursor,

            @About("One more each time the group is asked for anew")
            int round,

            @About("One more each time the same round is dispatched again")
            int attempt,

            @About("The instance that is to do it") String instanceId,
            @About("The prompt") Prompt prompt,

            @About("The label the reward compares with") @Nullable
            String label,

            @About("Name of the reward") String reward,
            @About("Responses to sample") int samples,
            @About("How to sample") Sampling sampling,

            @About("Oldest weight version that may sample it")
            int minWeightVersion,

            @About("The only weight version that may sample it; absent in training") @Nullable
            Integer exactWeightVersion,

            @About("When the instance gives up") Instant deadline,

            @About("What becomes of a sample that a pause interrupts")
            PartialRollout partialRollout,

            @About("Samples of this round that another instance has parked; what fits the bound is gone on with")
            List<Sample> parked,

            @About("The row's metadata as JSON text") @Nullable
            String metadata,

            @About("How responses are scored; where it is absent, the reward's name says all")
            TrainingRequest.@Nullable Reward scoring)
            implements GroupTask {
        public GroupRequested {
            partialRollout = partialRollout == null ? PartialRollout.RESTART : partialRollout;
            parked = parked == null ? List.of() : List.copyOf(parked);
        }

        public boolean evaluation() {
            return cursor < 0;
        }

        /** The same task with what another instance has done of it. */
        public GroupRequested withParked(List<Sample> samples) {
            return new GroupRequested(
                    runId,
                    epoch,
                    groupId,
                    cursor,
                    round,
                    attempt,
                    instanceId,
                    prompt,
                    label,
                    reward,
                    this.samples,
                    sampling,
                    minWeightVersion,
                    exactWeightVersion,
                    deadline,
                    partialRollout,
                    samples,
                    metadata,
                    scoring);
        }
    }

    @About("The group is no longer wanted; what runs of it is aborted")
    record GroupWithdrawn(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The group") String groupId,
            @About("The round") int round,
            @About("The instance that has it") String instanceId,
            @About("Why") String reason)
            implements GroupTask {}

    @About("A prompt: plain text, or messages for the chat template")
    record Prompt(
            @About("Plain text") @Nullable String text,
            @About("Messages") @Nullable List<Message> messages) {

        public static Prompt of(String text) {
            return new Prompt(text, null);
        }
    }

    @About("A message of a conversation")
    record Message(
            @About("system, user, assistant or tool") String role,
            @About("Text") String content) {}

    @About("How to sample")
    record Sampling(
            @About("Temperature; 0 is greedy") double temperature,
            @About("Nucleus mass") double topP,

            @About("Most likely tokens to choose from, -1 for all")
            int topK,

            @About("Longest response, tokens") int maxTokens,

            @About("Seed of the group; each sample derives its own from it and its index")
            long seed) {}
}
