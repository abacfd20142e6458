package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.http.Json;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.GpuPlans;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** A run on the gpu backend; instead of torchrun, a process that serves the worker API. */
@ExtendWith(KafkaBroker.class)
class GpuRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path dataRoot;

    @Test
    void theWorkerGetsThePlansArgumentsAndTheTensorTableAndTellsWhichRankIsLate(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("on-gpus");
        Path notes = dataRoot.resolve("notes");
        Path seen = dataRoot.resolve("seen");
        Files.copy(
                Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/model/config.json"),
                dataRoot.resolve("config.json"));
        try (Scenario scenario = new Scenario(kafka.connection("trainer-test"), runId, dataRoot, 0);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.plan = GpuPlans.of(2, Map.of("NCCL_DEBUG", "WARN"));
            scenario.set("training.steps", 1);
            scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.NOTES, notes.toString());
            scenario.configuration.put("sluice.trainer.worker.environment." + ChainWorkerMain.PAUSE, seen.toString());
            RunTrainer trainer = scenario.trainer(1);
            trainer.start();

            WaitChanged wait =
                    log.await(runId, WaitChanged.class, shown -> shown.reason().contains("rank"), DEADLINE);
            Files.createFile(seen);
            log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(wait.waitingFor()).isEqualTo("the training of step 1");
            assertThat(wait.reason())
                    .isEqualTo(
                            "the worker works, 50 %: rank 1 in optimizer step 1, micro-batch 4 of 8 for 12 s, rank 0 in optimizer step 1, micro-batch 5 of 8 for 2 s");
            JsonNode load = call(notes, "/load");
            assertThat(Json.MAPPER.convertValue(load.path("args"), List.class)).isEqualTo(GpuPlans.ARGS);
            assertThat(load.path("checkpoint").asText())
                    .isEqualTo(scenario.converted().toString());
            assertThat(load.path("hfConfig").asText()).isEqualTo(dataRoot.toString());
            JsonNode table =
                    Json.MAPPER.readTree(Path.of(load.path("tensors").asText()).toFile());
            assertThat(table.path("modelType").asText()).isEqualTo("glm4_moe_lite");
            assertThat(table.path("tensors").findValuesAsText("name"))
                    .contains("model.embed_tokens.weight", "model.layers.1.mlp.experts.0.up_proj.weight");
            assertThat(call(notes, "/export").path("dtype").asText()).isEqualTo("bfloat16");
            assertThat(log.events(runId, StepCompleted.class)).hasSize(1);
            trainer.end(DEADLINE);
        }
    }

    private static JsonNode call(Path notes, String path) throws IOException {
        String line = Files.readAllLines(notes).stream()
                .filter(noted -> noted.startsWith(path + " "))
                .findFirst()
                .orElseThrow();
        return Json.MAPPER.readTree(line.substring(path.length() + 1));
    }
}
