package dev.sluice.planner;

import dev.sluice.events.Backend;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Instances that only send heartbeats, each second. */
final class FakeInstances implements AutoCloseable {
    private final Map<String, InstanceSnapshot> alive = new ConcurrentHashMap<>();
    private final ScheduledExecutorService beat = Executors.newSingleThreadScheduledExecutor();
    private final EventPublisher publisher;

    FakeInstances(KafkaConnection connection) {
        this.publisher = EventPublisher.prompt(connection);
        beat.scheduleAtFixedRate(() -> alive.values().forEach(this::send), 1, 1, TimeUnit.SECONDS);
    }

    /** From now on the instance is alive, as this process. */
    void start(String instanceId, String incarnation, Role role, int slots) {
        InstanceSnapshot snapshot = new InstanceSnapshot(
                instanceId,
                incarnation,
                role,
                State.READY,
                "localhost",
                1,
                Backend.CPU,
                0,
                1024,
                slots,
                0,
                Map.of(),
                Instant.now());
        alive.put(instanceId, snapshot);
        send(snapshot);
    }

    /** From now on nothing is heard of it. */
    void silence(String instanceId) {
        alive.remove(instanceId);
    }

    /** It says that it stops, so that no later test gets it. */
    void stop(String instanceId) {
        InstanceSnapshot last = alive.remove(instanceId);
        if (last != null) {
            send(new InstanceSnapshot(
                    last.instanceId(),
                    last.incarnation(),
                    last.role(),
                    State.STOPPED,
                    last.host(),
                    last.pid(),
                    last.backend(),
                    0,
                    last.memoryMiB(),
                    last.slots(),
                    0,
                    Map.of(),
                    Instant.now()));
        }
    }

    private void send(InstanceSnapshot last) {
        publisher.publish(new InstanceSnapshot(
                last.instanceId(),
                last.incarnation(),
                last.role(),
                last.state(),
                last.host(),
                last.pid(),
                last.backend(),
                last.gpus(),
                last.memoryMiB(),
                last.slots(),
                last.taskPartition(),
                last.versions(),
                Instant.now()));
    }

    @Override
    public void close() {
        beat.shutdownNow();
        alive.keySet().forEach(this::stop);
        publisher.close();
    }
}
