package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(KafkaBroker.class)
@QuarkusTest
@TestProfile(ConverterIT.Folders.class)
class ConverterIT {
    private static final Path ROOT = Path.of(System.getProperty("sluice.root"));
    private static final Path MODEL = ROOT.resolve("common/checkpoint/src/test/fixtures/hf_tiny");

    public static class Folders implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "sluice.data-root",
                    Path.of("target/converter-it").toAbsolutePath().toString(),
                    "sluice.input-roots",
                    MODEL + "," + System.getProperty("java.io.tmpdir"));
        }
    }

    @Test
    void aPlannedModelIsConvertedOnceAndItsLastCutExported(KafkaBroker kafka) throws IOException {
        String first = kafka.newRunId("convert");
        String second = kafka.newRunId("convert");
        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(planned(first, MODEL));
            CheckpointConverted converted = log.await(first, CheckpointConverted.class);
            kafka.publish(planned(second, MODEL));
            CheckpointConverted again = log.await(second, CheckpointConverted.class);

            kafka.publish(lastCut(first, converted.torchDist()));
            CheckpointExported exported = log.await(first, CheckpointExported.class);

            assertThat(again.torchDist()).isEqualTo(converted.torchDist());
            assertThat(again.reused()).isTrue();
            assertThat(exported.carriedOver()).isEmpty();
            assertSameTensors(MODEL, Path.of(exported.huggingFace()));
        }
    }

    @Test
    void aTruncatedShardFailsWithItsNameAndLeavesNothingBehind(KafkaBroker kafka, @TempDir Path directory)
            throws IOException {
        String run = kafka.newRunId("truncated");
        for (Path file : filesOf(MODEL)) {
            Files.copy(file, directory.resolve(file.getFileName()));
        }
        Path shard = directory.resolve("model-00001-of-00002.safetensors");
        try (var channel = java.nio.channels.FileChannel.open(shard, java.nio.file.StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 1000);
        }

        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(planned(run, directory));
            ConversionFailed failed = log.await(run, ConversionFailed.class);

            assertThat(failed.reason()).contains("model-00001-of-00002.safetensors");
            assertThat(filesOf(Path.of("target/converter-it/checkpoints")))
                    .allSatisfy(file -> assertThat(file.toString()).doesNotContain("tmp"));
        }
    }

    private static void assertSameTensors(Path expected, Path actual) {
        try (var want = HuggingFaceCheckpoint.open(expected);
                var have = HuggingFaceCheckpoint.open(actual)) {
            assertThat(have.tensors().keySet()).isEqualTo(want.tensors().keySet());
            want.tensors()
                    .keySet()
                    .forEach(name -> assertThat(have.data(name)).as(name).isEqualTo(want.data(name)));
        }
    }

    private static RunPlanned planned(String runId, Path model) throws IOException {
        JsonNode golden = EventJson.mapper()
                .readTree(ROOT.resolve("common/events/src/test/golden/RunPlanned.json")
                        .toFile());
        ((com.fasterxml.jackson.databind.node.ObjectNode) golden).put("runId", runId);
        ((com.fasterxml.jackson.databind.node.ObjectNode) golden.at("/request/model")).put("path", model.toString());
        return EventJson.mapper().treeToValue(golden, RunPlanned.class);
    }

    private static CheckpointSaved lastCut(String runId, String directory) {
        return new CheckpointSaved(runId, 1, 3, 3, 3, directory, "", true, 0, 0, List.of(), 0, 0, "");
    }

    private static List<Path> filesOf(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            return files.toList();
        }
    }
}
