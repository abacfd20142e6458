package dev.sluice.events;

import java.time.Instant;
import java.util.Map;

/** What a rollout or trainer instance is and has; sent at start, every two seconds as a heartbeat, and at its end. */
@About("What a rollout or trainer instance is and has, every two seconds")
public record InstanceSnapshot(
        @About("Stable name of the instance; survives restarts")
        String instanceId,

        @About("Name of this process: a new one each start") String incarnation,
        @About("What it does") Role role,
        @About("Whether it takes work") State state,
        @About("Host name") String host,
        @About("Process id on that host") long pid,
        @About("What it samples or trains with") Backend backend,
        @About("GPUs it may use") int gpus,
        @About("Host memory, MiB") long memoryMiB,

        @About("Engines (rollout) or runs (trainer) it can hold")
        int slots,

        @About("Partition of sluice.groups.tasks.v1 it reads")
        int taskPartition,

        @About("Versions of what is installed") Map<String, String> versions,
        @About("When it was sent") Instant heartbeat)
        implements Event {

    public enum Role {
        ROLLOUT,
        TRAINER
    }

    public enum State {
        READY,
        DRAINING,
        STOPPED
    }

    @Override
    public String runId() {
        return "";
    }

    @Override
    public String key() {
        return instanceId;
    }
}
