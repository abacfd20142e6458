package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.http.HttpCallException;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The packaged service with a real CPU engine that takes turns with training. */
@ExtendWith(KafkaBroker.class)
class PhasesIT {
    private static final String TOKEN = "a token of this test";

    @TempDir
    Path folder;

    @BeforeAll
    static void needsTheCpuEngine() throws IOException {
        assertThat(RunningRollout.engineIsBuilt())
                .as("the CPU engine is built; if not: ./mvnw -pl services/cpu-backend -am package -DskipTests")
                .isTrue();
    }

    @Test
    void anEngineAnswersNothingWhileOthersTrainAndGoesOnWithWhatTheyMade(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of("SLUICE_ROLLOUT_ENGINE_API_KEY", TOKEN))) {
            // Given
            run.placement = Placement.COLOCATED;
            EngineReady ready = run.begin();
            run.publishSource();
            assertThat(run.sampled(run.request(0, 0, null)).samples()).hasSize(Scenario.SAMPLES);
            // When
            PhaseReached trains = run.phase(1, Phase.TRAIN, 0);
            // Then
            EnginePlace place = trains.engines().getFirst();
            assertThat(place.engineId()).isEqualTo(ready.engineId());
            assertThat(place.lacksWeights()).isFalse();
            GroupRequested waits = run.request(1, 1, null);
            SglangClient engine = new SglangClient(URI.create(place.address()), TOKEN);
            var request = GenerateRequest.ofTokens("outside", new int[] {6, 7}, SamplingParams.of(2, 1));
            assertThatThrownBy(() -> engine.generate(request, Duration.ofSeconds(2)))
                    .isInstanceOfSatisfying(
                            HttpCallException.class,
                            failure -> assertThat(failure.reason()).isEqualTo(HttpCallException.Reason.DEADLINE));
            assertThat(run.log.events(run.runId, GroupSampled.class)).hasSize(1);
            // When
            run.publishWeights(1);
            run.phase(2, Phase.GENERATE, 1);
            // Then
            assertThat(run.sampled(waits).samples())
                    .hasSize(Scenario.SAMPLES)
                    .extracting(Sample::oldestVersion)
                    .containsOnly(1);
            assertThat(run.log
                            .await(run.runId, WeightsLoaded.class, event -> event.version() == 1, Scenario.START)
                            .verified())
                    .containsExactly("manifest sha-256", "files sha-256", "success", "model_info.weight_version");
            assertThat(run.log.events(run.runId, EngineStopped.class)).isEmpty();
            assertThat(run.log.events(run.runId, EngineStarted.class)).hasSize(1);
            // And the next turn is like the first
            run.phase(3, Phase.TRAIN, 1);
            run.publishWeights(2);
            run.phase(4, Phase.GENERATE, 2);
            assertThat(run.sampled(run.request(2, 2, null)).samples())
                    .extracting(Sample::oldestVersion)
                    .containsOnly(2);
        }
    }

    @Test
    void anEngineAsksForItsTokenAndNobodySeesItOnTheCommandLine(KafkaBroker kafka) throws IOException {
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of("SLUICE_ROLLOUT_ENGINE_API_KEY", TOKEN))) {
            // Given
            run.begin();
            EngineStarted started = run.log.await(run.runId, EngineStarted.class);
            SglangClient stranger = new SglangClient(URI.create("http://127.0.0.1:" + started.port()), "another token");
            // When / Then
            assertThatThrownBy(stranger::modelInfo)
                    .isInstanceOfSatisfying(
                            HttpCallException.class,
                            failure -> assertThat(failure.status()).isEqualTo(401));
            List<String> arguments = List.of(ProcessHandle.of(started.pid())
                    .orElseThrow()
                    .info()
                    .arguments()
                    .orElse(new String[0]));
            assertThat(arguments).contains("--config").doesNotContain(TOKEN);
        }
    }
}
