package dev.sluice.trainer.dispatch;

import dev.sluice.events.GroupTask.GroupRequested;
import java.time.Instant;

/**
 * A group that some instance is to sample.
 *
 * @param groupId of the group
 * @param round of the group
 * @param samples responses it takes
 * @param minimumVersion no engine with an older version may sample it
 * @param exact nor may one with a newer version
 * @param deadlineSeconds that an instance has for it
 * @param task makes the request for an instance
 */
public record Work(
        String groupId,
        int round,
        int samples,
        int minimumVersion,
        boolean exact,
        int deadlineSeconds,
        TaskMaker task) {

    /** What tells pieces of work apart. */
    public record Key(String groupId, int round) {}

    /** Makes the request for one attempt. */
    @FunctionalInterface
    public interface TaskMaker {
        GroupRequested request(int attempt, String instanceId, Instant deadline);
    }

    public Key key() {
        return new Key(groupId, round);
    }
}
