package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.process.ChildProcess;
import dev.sluice.process.PortLease;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The packaged service with a CPU engine that it did not start. */
@ExtendWith(KafkaBroker.class)
class ExternalEngineIT {
    @TempDir
    Path folder;

    @BeforeAll
    static void needsTheCpuEngine() throws IOException {
        assertThat(RunningRollout.engineIsBuilt())
                .as("the CPU engine is built; if not: ./mvnw -pl services/cpu-backend -am package -DskipTests")
                .isTrue();
    }

    @Test
    void anExternalEngineServesIsLostComesBackAtTheCurrentVersionAndIsNeverEnded(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                PortLease port = PortLease.take()) {
            ChildProcess first = RunningRollout.startEngine(port.port(), run.model, folder);
            Map<String, String> addresses =
                    Map.of("SLUICE_ROLLOUT_ENGINE_ADDRESSES", "http://127.0.0.1:" + port.port());
            try (RunningRollout service = run.startService(addresses)) {
                // Given
                EngineReady ready = run.begin();
                assertThat(run.log.await(run.runId, EngineStarted.class).pid()).isZero();
                run.publishWeights(1);
                run.log.await(run.runId, WeightsLoaded.class, event -> event.version() == 1, Scenario.START);
                // When
                first.stop(Duration.ZERO);
                run.log.await(run.runId, EngineUnhealthy.class, any -> true, Scenario.START);
                ChildProcess second = RunningRollout.startEngine(port.port(), run.model, folder);
                // Then
                EngineReady again = run.log.await(
                        run.runId,
                        EngineReady.class,
                        event -> !event.engineId().equals(ready.engineId()),
                        Scenario.START);
                assertThat(again.weightVersion()).isEqualTo(1);
                assertThat(run.sampled(run.request(1, 1, null)).samples())
                        .extracting(Sample::engineId)
                        .containsOnly(again.engineId());
                service.stop();
                assertThat(second.exited()).isNotDone();
                second.stop(Duration.ZERO);
            }
        }
    }
}
