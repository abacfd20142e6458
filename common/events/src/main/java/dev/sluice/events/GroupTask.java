package dev.sluice.events;

import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.Rollout.PartialRollout;
import java.time.Instant;
import java.util.List;
import java.util.Map;
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
            TrainingRequest.@Nullable Reward scoring,

            @About("Who answers the model's turns; where it is absent, a response is one turn")
            Rollout.@Nullable Turns turns,

            @About("Functions of one's own; where they are absent, engines are asked and no group is judged")
            Rollout.@Nullable Hooks hooks)
            implements GroupTask {
        public GroupRequested {
            partialRollout = partialRollout == null ? PartialRollout.RESTART : partialRollout;
            parked = parked == null ? List.of() : List.copyOf(parked);
        }

        /** A task with nothing but what every task has. */
        public GroupRequested(
                String runId,
                int epoch,
                String groupId,
                long cursor,
                int round,
                int attempt,
                String instanceId,
                Prompt prompt,
                @Nullable String label,
                String reward,
                int samples,
                Sampling sampling,
                int minWeightVersion,
                @Nullable Integer exactWeightVersion,
                Instant deadline) {
            this(
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
                    samples,
                    sampling,
                    minWeightVersion,
                    exactWeightVersion,
                    deadline,
                    PartialRollout.RESTART,
                    List.of(),
                    null,
                    null,
                    null,
                    null);
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
                    scoring,
                    turns,
                    hooks);
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
            @About("Messages") @Nullable List<Message> messages,

            @About("Tools for the chat template, the text of a JSON list") @Nullable
            String tools,

            @About("Further variables of the chat template; JSON where it reads as such")
            Map<String, String> templateArguments) {
        public Prompt {
            templateArguments = templateArguments == null ? Map.of() : Map.copyOf(templateArguments);
        }

        public static Prompt of(String text) {
            return new Prompt(text, null, null, Map.of());
        }

        public static Prompt of(List<Message> messages) {
            return new Prompt(null, messages, null, Map.of());
        }
    }

    @About("A message of a conversation")
    record Message(
            @About("system, user, assistant or tool") String role,
            @About("Text") String content,

            @About("The whole message as JSON text where it is more than a role and a text, such as a tool call")
            @Nullable
            String json) {

        public static Message of(String role, String content) {
            return new Message(role, content, null);
        }
    }

    @About("How to sample")
    record Sampling(
            @About("Temperature; 0 is greedy") double temperature,
            @About("Nucleus mass") double topP,

            @About("Most likely tokens to choose from, -1 for all")
            int topK,

            @About("Longest response, tokens") int maxTokens,

            @About("Seed of the group; each sample derives its own from it and its index")
            long seed,

            @About("Texts that end a response, which keeps them")
            List<String> stop,

            @About("Tokens that end a response besides the model's own end")
            List<Integer> stopTokenIds,

            @About("Regular expressions of which a match ends a response, which keeps it")
            List<String> stopRegex) {
        public Sampling {
            stopRegex = stopRegex == null ? List.of() : List.copyOf(stopRegex);
            stop = stop == null ? List.of() : List.copyOf(stop);
            stopTokenIds = stopTokenIds == null ? List.of() : List.copyOf(stopTokenIds);
        }

        /** Where only the model's own end-of-sequence tokens end a response. */
        public Sampling(double temperature, double topP, int topK, int maxTokens, long seed) {
            this(temperature, topP, topK, maxTokens, seed, List.of(), List.of(), List.of());
        }
    }
}
