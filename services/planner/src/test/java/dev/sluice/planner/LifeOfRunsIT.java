package dev.sluice.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunStopping;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.RunRequest.CancellationRequested;
import dev.sluice.events.RunRequest.TrainingRequested;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The packaged planner against a real broker; trainer, engines and converter are the test. */
@ExtendWith(KafkaBroker.class)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class LifeOfRunsIT {
    private static final Duration SOON = Duration.ofSeconds(40);

    private Path directory;

    private KafkaBroker kafka;
    private PlannerProcess planner;
    private Inputs inputs;
    private EventLog runs;
    private FakeInstances instances;

    @BeforeAll
    void startPlanner(KafkaBroker kafka, @TempDir Path directory) {
        this.directory = directory;
        this.kafka = kafka;
        inputs = Inputs.in(directory);
        planner = startedPlanner();
        runs = kafka.follow(Topics.RUN_EVENTS);
    }

    private PlannerProcess startedPlanner() {
        return PlannerProcess.start(kafka.bootstrapServers(), directory, Map.of());
    }

    @AfterAll
    void stopPlanner() {
        runs.close();
        planner.close();
    }

    @BeforeEach
    void bringInstances() {
        instances = new FakeInstances(kafka.connection("instances"));
    }

    @AfterEach
    void takeInstancesAway() {
        instances.close();
    }

    @Test
    void aRunGoesFromItsRequestToItsExport() {
        // Given
        String runId = kafka.newRunId("whole");
        instances.start("rollout-1", "a", Role.ROLLOUT, 2);
        instances.start("trainer-1", "b", Role.TRAINER, 1);

        // When
        request(runId, 5);
        RunAssigned assigned = runs.await(runId, RunAssigned.class);
        begin(runId, assigned);
        runs.await(runId, RunStarted.class);
        kafka.publish(new CheckpointExported(runId, 5, "/t", "/h", List.of(), 1));

        // Then
        assertThat(runs.await(runId, RunSucceeded.class)).isEqualTo(new RunSucceeded(runId, 5, "/t", "/h"));
        assertThat(assigned.epoch()).isEqualTo(1);
        assertThat(assigned.trainer().trainerEpoch()).isEqualTo(1);
        assertThat(assigned.rollout())
                .singleElement()
                .satisfies(share -> assertThat(share.engines()).isEqualTo(2));
        assertThat(runs.recordsOf(runId).stream().map(record -> name(record.event())))
                .containsExactly("RunPlanned", "RunAssigned", "RunStarted", "RunSucceeded");
        assertThat(PlannerProcess.json(planner.get("/v1/runs/" + runId))
                        .get("phase")
                        .asText())
                .isEqualTo("succeeded");
    }

    @Test
    void aRunWaitsForInstancesAndSaysForWhich() {
        // Given
        String runId = kafka.newRunId("waits");
        request(runId, 5);

        // When
        RunQueued queued = runs.await(runId, RunQueued.class);
        instances.start("rollout-2", "a", Role.ROLLOUT, 1);
        instances.start("trainer-2", "b", Role.TRAINER, 1);

        // Then
        assertThat(queued.reason()).contains("waits for a trainer instance");
        assertThat(runs.await(runId, RunAssigned.class).trainer().instanceId()).isEqualTo("trainer-2");
        cancel(runId);
    }

    @Test
    void aSilentTrainerIsReplacedAndASilentRolloutInstanceIsNot() {
        // Given
        String runId = kafka.newRunId("lost");
        instances.start("rollout-3", "a", Role.ROLLOUT, 1);
        instances.start("trainer-3", "b", Role.TRAINER, 1);
        request(runId, 5);
        RunAssigned first = runs.await(runId, RunAssigned.class);
        begin(runId, first);
        runs.await(runId, RunStarted.class);

        // When
        instances.start("trainer-4", "c", Role.TRAINER, 1);
        instances.silence("trainer-3");
        RunAssigned second = assignment(runId, "trainer-4");
        instances.silence("rollout-3");
        instances.start("rollout-4", "d", Role.ROLLOUT, 2);
        RunAssigned third = runs.await(
                runId,
                RunAssigned.class,
                assigned -> assigned.rollout().stream()
                        .allMatch(share -> share.instanceId().equals("rollout-4")),
                SOON);

        // Then
        assertThat(second.trainer().trainerEpoch())
                .isGreaterThan(first.trainer().trainerEpoch());
        assertThat(second.reason()).contains("trainer-3 sent no heartbeat");
        assertThat(third.epoch()).isGreaterThan(second.epoch());
        assertThat(third.trainer()).isEqualTo(second.trainer());
        cancel(runId);
    }

    @Test
    void aPlannerThatWasKilledGoesOnWhereTheLogIs() {
        // Given
        String runId = kafka.newRunId("killed");
        instances.start("rollout-5", "a", Role.ROLLOUT, 2);
        instances.start("trainer-5", "b", Role.TRAINER, 1);
        request(runId, 5);
        RunAssigned assigned = runs.await(runId, RunAssigned.class);

        // When
        planner.kill();
        begin(runId, assigned);
        planner = startedPlanner();
        runs.await(runId, RunStarted.class, any -> true, SOON);
        kafka.publish(new CheckpointExported(runId, 5, "/t", "/h", List.of(), 1));
        runs.await(runId, RunSucceeded.class);

        // Then
        assertThat(runs.recordsOf(runId).stream().map(record -> name(record.event())))
                .containsExactly("RunPlanned", "RunAssigned", "RunStarted", "RunSucceeded");
    }

    @Test
    void aCancelledRunEndsWhenItsLastCutIsExported() {
        // Given
        String runId = kafka.newRunId("cancelled");
        instances.start("rollout-6", "a", Role.ROLLOUT, 2);
        instances.start("trainer-6", "b", Role.TRAINER, 1);
        request(runId, 5);
        begin(runId, runs.await(runId, RunAssigned.class));
        runs.await(runId, RunStarted.class);

        // When
        kafka.publish(new CancellationRequested(runId, "enough"));
        runs.await(runId, RunStopping.class);
        kafka.publish(new CheckpointExported(runId, 3, "/t", "/h", List.of(), 1));

        // Then
        assertThat(runs.await(runId, RunCancelled.class).reason()).isEqualTo("enough; step 3 is exported to /h");
    }

    private void request(String runId, int steps) {
        kafka.publishRaw(
                Topics.RUN_REQUESTS,
                runId,
                Map.of(
                        "ce_type",
                        Event.typeOf(TrainingRequested.class),
                        "ce_id",
                        UUID.randomUUID().toString()),
                inputs.record(runId, steps));
        runs.await(runId, RunPlanned.class, any -> true, SOON);
    }

    /** What converter, trainer and engines report when all goes well. */
    private void begin(String runId, RunAssigned assigned) {
        kafka.publish(new CheckpointConverted(runId, "/s", "/t", 1, 1, 1, false));
        kafka.publish(new TrainerReady(
                runId, assigned.trainer().trainerEpoch(), assigned.trainer().instanceId(), 0, "started"));
        var share = assigned.rollout().getFirst();
        kafka.publish(new EngineReady(
                runId,
                assigned.epoch(),
                share.instanceId() + "-" + share.incarnation() + "-0",
                share.instanceId(),
                share.incarnation(),
                0,
                128,
                1));
    }

    private RunAssigned assignment(String runId, String trainer) {
        return runs.await(
                runId,
                RunAssigned.class,
                assigned -> assigned.trainer().instanceId().equals(trainer),
                SOON);
    }

    private void cancel(String runId) {
        kafka.publish(new CancellationRequested(runId, "the test is over"));
        runs.await(runId, RunStopping.class);
    }

    private static String name(Event event) {
        return event.getClass().getSimpleName();
    }
}
