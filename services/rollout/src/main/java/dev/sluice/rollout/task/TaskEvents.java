package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupTask.GroupRequested;
import java.util.List;

/** What an instance says of a task that it does not finish. */
final class TaskEvents {
    private TaskEvents() {}

    static SamplesParked parked(GroupRequested task, String reason, List<Sample> samples, int tokensAborted) {
        return new SamplesParked(
                task.runId(),
                task.epoch(),
                task.groupId(),
                task.cursor(),
                task.round(),
                task.attempt(),
                task.instanceId(),
                reason,
                samples,
                tokensAborted);
    }

    static GroupAbandoned abandoned(GroupRequested task, String reason, int tokens) {
        return new GroupAbandoned(
                task.runId(),
                task.epoch(),
                task.groupId(),
                task.cursor(),
                task.round(),
                task.attempt(),
                task.instanceId(),
                reason,
                tokens);
    }
}
