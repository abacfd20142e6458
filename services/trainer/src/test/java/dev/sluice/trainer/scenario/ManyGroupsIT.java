package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole run with 10,000 groups in flight at once: 20 steps of 500 groups at a lag of 19. The heap is that of the test's JVM, in
 * which broker, trainer and rollout run together; the worker is a process of its own.
 */
@ExtendWith(KafkaBroker.class)
class ManyGroupsIT {
    private static final Duration DEADLINE = Duration.ofMinutes(10);
    private static final int IN_FLIGHT = 10_000;
    private static final int STEPS = 20;
    private static final long MOST_BYTES = 128L << 20;

    @TempDir
    Path dataRoot;

    @Test
    void tenThousandGroupsInFlightFitIntoLittleMemory(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("many");
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, STEPS - 1);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(
                        kafka.connection("rollout-test"), runId, "rollout-" + runId, 2 * IN_FLIGHT + 100)) {
            scenario.set("rollout.groupsPerStep", IN_FLIGHT / STEPS);
            scenario.set("training.steps", STEPS);
            rollout.pauseAt(0);
            long before = heap();
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            await().atMost(DEADLINE).until(() -> rollout.requested().size() >= IN_FLIGHT);
            long inFlight = heap() - before;
            rollout.goOn();
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);
            long after = heap() - before;

            System.out.printf(
                    "heap with %,d groups in flight: %,d bytes more; after the run: %,d%n", IN_FLIGHT, inFlight, after);
            assertThat(log.events(runId, StepCompleted.class)).hasSize(STEPS);
            assertThat(inFlight).isLessThan(MOST_BYTES);
            assertThat(after).isLessThan(MOST_BYTES);
            trainer.end(DEADLINE);
        }
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
