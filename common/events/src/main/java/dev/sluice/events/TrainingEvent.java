package dev.sluice.events;

import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The training of a run, written by its trainer in Kafka transactions. */
public sealed interface TrainingEvent extends Event {

    int epoch();

    @About("The trainer holds the model and is where the log says")
    record TrainerReady(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("Its instance") String instanceId,
            @About("Steps trained so far") int step,

            @About("started, resumed from a cut, or attached to a living worker")
            String how,

            @About("Hash of the weights that it loaded; absent for a living worker, and where the worker computes none")
            @Nullable
            String weightsSha256)
            implements TrainingEvent {

        /** Of weights without a hash. */
        public TrainerReady(String runId, int epoch, String instanceId, int step, String how) {
            this(runId, epoch, instanceId, step, how, null);
        }
    }

    @About(
            "The run begins with an earlier run's cut; that run's results which the cut has not used follow in this run's log")
    record CheckpointAdopted(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The earlier run") String earlierRunId,
            @About("Steps trained into the cut") int step,
            @About("The cut's files") String directory,
            @About("First cursor that was not asked for") long cursorNext,
            @About("Every cursor below is used up") long closedBelow,

            @About("Cursors above that are used up too") List<Long> closedAbove,

            @About("Finished groups that are taken over; the earlier run's ledger has their tokens")
            int groups,

            @About("Tokens of their responses") long tokens,

            @About("Finished groups that are sampled anew all the same")
            int sampledAnew,

            @About("Why, for people; empty where there are none")
            String reason)
            implements TrainingEvent {
        public CheckpointAdopted {
            closedAbove = List.copyOf(closedAbove);
        }
    }

    @About("The groups of a step: the only place where a group is used up")
    record BatchFormed(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The step") int step,
            @About("Groups to train on, in order") List<GroupUse> groups,
            @About("Groups used up without training") List<GroupDrop> dropped,
            @About("First cursor not asked for yet") long cursorNext,

            @About("Weight version current when it was formed")
            int weightVersion,

            @About("Hash of the batch's content") String sha256)
            implements TrainingEvent {}

    @About("A group that is trained on")
    record GroupUse(
            @About("The group") String groupId,
            @About("Place in the prompt sequence") long cursor,
            @About("The round") int round,
            @About("CloudEvents id of the result") String resultId,
            @About("Partition of the result (a hint)") int partition,
            @About("Offset of the result (a hint)") long offset,

            @About("Publications between its oldest token and now")
            int policyLag,

            @About("Oldest weight version whose tokens are trained on; older ones are masked")
            int trainedFrom) {
        /** All of its tokens are trained on. */
        public GroupUse(
                String groupId, long cursor, int round, String resultId, int partition, long offset, int policyLag) {
            this(groupId, cursor, round, resultId, partition, offset, policyLag, 0);
        }
    }

    @About("A group or a round of it that is used up without training")
    record GroupDrop(
            @About("The group") String groupId,
            @About("Place in the prompt sequence") long cursor,
            @About("The round") int round,

            @About("CloudEvents id of the result; absent where there is none") @Nullable
            String resultId,

            @About("Which bucket its tokens go to") DropReason reason,
            @About("It will be asked for again") boolean again,
            @About("Tokens of its samples") int tokens,

            @About("What the filter that left it out calls the reason; absent for other reasons") @Nullable
            String detail) {
        /** Left out by no filter. */
        public GroupDrop(
                String groupId,
                long cursor,
                int round,
                @Nullable String resultId,
                DropReason reason,
                boolean again,
                int tokens) {
            this(groupId, cursor, round, resultId, reason, again, tokens, null);
        }
    }

    enum DropReason {
        FILTERED,
        STALE,
        ABANDONED,
        SURPLUS,
        /** Trained on by a step that was taken back. */
        ROLLED_BACK
    }

    @About("A step was trained; in one transaction with its weights and its metrics")
    record StepCompleted(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The step") int step,
            @About("Newest weight version after it") int weightVersion,
            @About("Optimizer steps taken in all") long optimizerSteps,
            @About("Tokens with gradient") int tokensTrained,
            @About("Tokens without gradient") int tokensMasked,
            @About("Groups by policy lag, from 0") List<Integer> policyLags,
            @About("Metrics by slime's names") Map<String, Double> metrics,

            @About(
                    "Hash of the weights after it, by which a replay proves itself; absent where the worker computes none")
            @Nullable
            String weightsSha256,

            @About(
                    "The rung of the memory ladder that it was trained on, 0 for the plan itself: another one gives other last bits")
            int memoryRung)
            implements TrainingEvent {

        /** Of weights without a hash, trained as planned. */
        public StepCompleted(
                String runId,
                int epoch,
                int step,
                int weightVersion,
                long optimizerSteps,
                int tokensTrained,
                int tokensMasked,
                List<Integer> policyLags,
                Map<String, Double> metrics) {
            this(
                    runId,
                    epoch,
                    step,
                    weightVersion,
                    optimizerSteps,
                    tokensTrained,
                    tokensMasked,
                    policyLags,
                    metrics,
                    null,
                    0);
        }
    }

    @About("A held-out set was measured")
    record EvalCompleted(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("Name of the set") String set,
            @About("Steps trained before it") int step,

            @About("The weight version it was measured with")
            int weightVersion,

            @About("Prompts") int prompts,
            @About("Samples") int samples,
            @About("Mean reward") double meanReward,
            @About("Tokens generated") long tokens)
            implements TrainingEvent {}

    @About("A run that trains nothing has sampled and scored all it was asked for")
    record RolloutFinished(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,

            @About("Files of samples, a line each, by set") Map<String, String> results)
            implements TrainingEvent {}

    @About("A cut: the run can go on from here")
    record CheckpointSaved(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("Steps trained into it") int step,
            @About("Newest weight version") int weightVersion,
            @About("Optimizer steps taken in all") long optimizerSteps,

            @About("torch_dist directory with optimizer state")
            String directory,

            @About("Hash of manifest.json in it") String manifestSha256,
            @About("No step follows: export this one") boolean last,
            @About("First cursor not asked for yet") long cursorNext,
            @About("Every cursor below is used up") long closedBelow,
            @About("Cursors above that are used up too") List<Long> closedAbove,

            @About("Offset of the oldest result that no batch has used or dropped")
            long groupsOffset,

            @About("Offset in the training log from which to replay")
            long trainingOffset,

            @About("Hash of prompt files, seed, tokenizer and template: resuming with others is refused")
            String dataSha256)
            implements TrainingEvent {}

    @About("A cut was deleted")
    record CheckpointRetired(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("Its step") int step,
            @About("Its directory") String directory)
            implements TrainingEvent {}

    @About("What the trainer waits for, for whom and until when")
    record WaitChanged(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,

            @About("What it waits for; empty when it does not")
            String waitingFor,

            @About("Why") String reason,
            @About("Since when") Instant since,

            @About("What happens then: the wait ends at this time") @Nullable
            Instant deadline)
            implements TrainingEvent {}

    @About("What the training worker did since the last report of this kind")
    record WorkerWorked(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("Its calls, oldest first") List<WorkerTime> calls)
            implements TrainingEvent {
        public WorkerWorked {
            calls = List.copyOf(calls);
        }
    }

    @About("A time in which the worker did one thing")
    record WorkerTime(
            @About("What") Activity activity, @About("When") TimeSpan span) {}

    enum Activity {
        /** It started and took up the model. */
        LOADING,
        TRAINING,
        /** It wrote weights for engines. */
        SYNCING,
        /** It wrote a cut. */
        SAVING
    }

    @About("The worker ran out of memory: from now on it gets less at once")
    record WorkerFellBack(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,

            @About("The step that it trained, for the first time or again; 0 where it did not come to that")
            int step,

            @About("What is different, as one of the plan's rungs, from 1")
            int rung,

            @About("Rungs that there are") int rungs,
            @About("What is different, for people") String difference,
            @About("What the worker said") String reason)
            implements TrainingEvent {}

    @About("A figure was above its guard's bound; the CloudEvents id names it")
    record GuardTripped(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The step whose figure it was") int step,
            @About("The figure") String figure,
            @About("Its value") double value,
            @About("The bound") double above,
            @About("Steps in a row that were above it") int steps,
            @About("What follows") TrainingRequest.GuardAction action,

            @About("When a pause ends with the run, if nobody says how to go on") @Nullable
            Instant deadline)
            implements TrainingEvent {}

    @About("Somebody let a run go on that a guard had paused")
    record GuardReleased(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("CloudEvents id of the GuardTripped") String tripId,
            @About("Why") String reason)
            implements TrainingEvent {}

    @About("Steps were taken back: the run goes on from an older cut with other groups")
    record RolledBack(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("The last step that was formed") int fromStep,
            @About("The last step that stands") int toStep,

            @About("Newest weight version then: versions up to it with later steps in them are replaced")
            int weightVersion,

            @About("Why") String reason)
            implements TrainingEvent {}

    @About("The trainer gives the run up; the planner decides what follows")
    record TrainerLost(
            @About("The run") String runId,
            @About("Epoch of the trainer") int epoch,
            @About("Why, and what to do") String reason,

            @About("Another trainer may succeed where this one did not")
            boolean retry)
            implements TrainingEvent {}
}
