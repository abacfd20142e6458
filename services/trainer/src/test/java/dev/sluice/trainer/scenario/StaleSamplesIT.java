package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole runs in which a group takes so long that its first tokens are three weight versions old when its turn comes. */
@ExtendWith(KafkaBroker.class)
class StaleSamplesIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);
    private static final long SLOW = 1;
    private static final int MAX_POLICY_LAG = 1;

    @TempDir
    Path dataRoot;

    @ParameterizedTest
    @EnumSource(
            value = StaleSamples.class,
            names = {"MASK", "CORRECT"})
    void samplesThatAreTooOldAreTrainedOnAsThePolicySaysAlsoAfterACrash(StaleSamples policy, KafkaBroker kafka)
            throws IOException {
        String runId = kafka.newRunId("stale");
        Map<String, Object> values = Map.of(
                "rollout.maxPolicyLag",
                MAX_POLICY_LAG,
                "rollout.staleSamples",
                policy,
                "algorithm.mismatchCorrection",
                Map.of("type", "tis"));
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, values);
                EventLog log = kafka.follow(Topics.TRAINING, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.spread(SLOW, 3);
            rollout.pauseAt(5);
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 5, DEADLINE);

            scenario.stopWorker(); // the steps after the cut of step 3 are trained again
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, BatchFormed.class))
                    .filteredOn(formed -> formed.groups().stream().anyMatch(use -> use.policyLag() > MAX_POLICY_LAG))
                    .singleElement()
                    .satisfies(formed -> assertThat(formed.groups())
                            .filteredOn(use -> use.cursor() == SLOW)
                            .singleElement()
                            .satisfies(use -> {
                                assertThat(use.policyLag()).isEqualTo(formed.weightVersion());
                                assertThat(use.trainedFrom())
                                        .isEqualTo(
                                                policy == StaleSamples.MASK
                                                        ? formed.weightVersion() - MAX_POLICY_LAG
                                                        : 0);
                            }));
            assertThat(log.events(runId, BatchFormed.class))
                    .flatExtracting(BatchFormed::dropped)
                    .extracting(drop -> ((GroupDrop) drop).cursor())
                    .doesNotContain(SLOW);
            assertThat(WeightChain.in(last)).isEqualTo(WeightChain.byTheLog(log, runId, WeightChain.Advantage.GRPO));
            trainer.end(DEADLINE);
        }
    }
}
