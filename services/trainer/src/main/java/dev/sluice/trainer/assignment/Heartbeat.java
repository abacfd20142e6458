package dev.sluice.trainer.assignment;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.quarkus.Instance;
import dev.sluice.trainer.TrainerConfig;
import dev.sluice.trainer.worker.MeetingHost;
import java.lang.management.ManagementFactory;
import java.time.Clock;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/** Says that this instance lives and what it has. */
final class Heartbeat {
    private final EventPublisher publisher;
    private final Instance instance;
    private final TrainerConfig config;
    private final Clock clock;
    private final ScheduledExecutorService schedule = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().daemon().name("heartbeat").factory());

    Heartbeat(EventPublisher publisher, Instance instance, TrainerConfig config, Clock clock) {
        this.publisher = publisher;
        this.instance = instance;
        this.config = config;
        this.clock = clock;
    }

    void start() {
        schedule.scheduleAtFixedRate(
                () -> publisher.publish(snapshot(InstanceSnapshot.State.READY)),
                0,
                config.heartbeat().toMillis(),
                TimeUnit.MILLISECONDS);
    }

    void stop(InstanceSnapshot.State last) {
        schedule.shutdownNow();
        publisher.publish(snapshot(last));
    }

    private InstanceSnapshot snapshot(InstanceSnapshot.State state) {
        return new InstanceSnapshot(
                instance.id(),
                instance.incarnation(),
                InstanceSnapshot.Role.TRAINER,
                state,
                MeetingHost.of(config.worker()),
                ProcessHandle.current().pid(),
                config.backend(),
                config.gpus(),
                memoryMiB(),
                config.slots(),
                -1,
                Map.of(),
                clock.instant());
    }

    private static long memoryMiB() {
        return ManagementFactory.getOperatingSystemMXBean() instanceof com.sun.management.OperatingSystemMXBean system
                ? system.getTotalMemorySize() >> 20
                : 0;
    }
}
