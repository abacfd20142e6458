package dev.sluice.domain.ledger;

import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.AdoptedResult;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.UInt8Array;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Stream;

/** Writes the events that the ledger's tests feed, with as many tokens as a test asks for. */
record LedgerEvents(String runId) {
    GroupSampled sampled(long cursor, int round, int verifies, int trainable, int masked, int aborted) {
        return group(cursor, round, sample(verifies, trainable, masked), aborted);
    }

    /** A result that an earlier run's engines have generated. */
    GroupSampled adopted(long cursor, int trainable, int masked) {
        GroupSampled own = group(cursor, 0, sample(5, trainable, masked), 0);
        return new GroupSampled(
                runId,
                1,
                own.groupId(),
                cursor,
                0,
                0,
                own.instanceId(),
                own.promptTokens(),
                own.samples(),
                0,
                0.1,
                null,
                new AdoptedResult("run-0", "result"));
    }

    GroupSampled sampledWithoutSpeculation(long cursor, int round, int tokens) {
        return group(cursor, round, sample(0, tokens, 0), 0);
    }

    GroupAbandoned abandoned(long cursor, int round, int tokens) {
        return new GroupAbandoned(runId, 1, groupId(cursor), cursor, round, 1, "rollout-1", "deadline", tokens);
    }

    SamplesParked parked(long cursor, int round, int tokensAborted) {
        return new SamplesParked(
                runId, 1, groupId(cursor), cursor, round, 1, "rollout-1", "stopping", List.of(), tokensAborted);
    }

    BatchFormed batch(int epoch, int step, List<GroupUse> groups) {
        return batch(epoch, step, groups, List.of());
    }

    BatchFormed batch(int epoch, int step, List<GroupUse> groups, List<GroupDrop> dropped) {
        return new BatchFormed(runId, epoch, step, groups, dropped, 0, 0, "");
    }

    GroupUse use(long cursor, int round, UUID result) {
        return new GroupUse(groupId(cursor), cursor, round, result.toString(), 0, 0, 0);
    }

    /** A use that trains on tokens of this version and newer ones. */
    GroupUse use(long cursor, UUID result, int trainedFrom) {
        return new GroupUse(groupId(cursor), cursor, 0, result.toString(), 0, 0, 0, trainedFrom);
    }

    /** A group whose one sample goes on under newer weights. */
    GroupSampled spanned(long cursor, VersionSpan... spans) {
        int tokens = Stream.of(spans).mapToInt(VersionSpan::tokens).sum();
        return group(cursor, 0, sample(0, tokens, 0, List.of(spans)), 0);
    }

    GroupDrop drop(long cursor, int round, UUID result, DropReason reason) {
        return new GroupDrop(groupId(cursor), cursor, round, result.toString(), reason, false, 0);
    }

    StepCompleted step(int epoch, int step, double reward) {
        return new StepCompleted(runId, epoch, step, step, step, 0, 0, List.of(), Map.of("rollout/raw_reward", reward));
    }

    private GroupSampled group(long cursor, int round, Sample sample, int aborted) {
        return new GroupSampled(
                runId,
                1,
                groupId(cursor),
                cursor,
                round,
                1,
                "rollout-1",
                Int32Array.EMPTY,
                List.of(sample),
                aborted,
                0.1,
                null);
    }

    private Sample sample(int verifies, int trainable, int masked) {
        return sample(verifies, trainable, masked, List.of(new VersionSpan(0, trainable + masked)));
    }

    private Sample sample(int verifies, int trainable, int masked, List<VersionSpan> versions) {
        byte[] mask = new byte[trainable + masked];
        java.util.Arrays.fill(mask, 0, trainable, (byte) 1);
        return new Sample(
                0,
                Int32Array.of(new int[trainable + masked]),
                Float32Array.EMPTY,
                UInt8Array.of(mask),
                1.0,
                null,
                FinishReason.STOP,
                versions,
                "rollout-1-a-1",
                verifies,
                0,
                0,
                null,
                null,
                null,
                null);
    }

    private String groupId(long cursor) {
        return runId + "/" + (cursor < 0 ? "eval/held-out/0/0" : cursor);
    }
}
