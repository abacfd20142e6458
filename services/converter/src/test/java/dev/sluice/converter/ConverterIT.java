package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(KafkaBroker.class)
@QuarkusTest
@TestProfile(ConverterIT.Folders.class)
class ConverterIT {
    @TestHTTPResource("/q/metrics")
    URI metrics;

    private static final Path MODEL = Models.TINY;

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
            kafka.publish(Models.planned(first, MODEL));
            CheckpointConverted converted = log.await(first, CheckpointConverted.class);
            kafka.publish(Models.planned(second, MODEL));
            CheckpointConverted again = log.await(second, CheckpointConverted.class);

            kafka.publish(lastCut(first, converted.torchDist(), ""));
            CheckpointExported exported = log.await(first, CheckpointExported.class);

            assertThat(again.torchDist()).isEqualTo(converted.torchDist());
            assertThat(again.reused()).isTrue();
            assertThat(exported.carriedOver()).isEmpty();
            assertSameTensors(MODEL, Path.of(exported.huggingFace()));
        }
    }

    @Test
    void aDamagedConversionIsMadeAnewAndNotHandedToATrainer(KafkaBroker kafka, @TempDir Path directory)
            throws IOException {
        Path model = Models.anotherInto(directory.resolve("model"));
        String first = kafka.newRunId("damaged");
        String second = kafka.newRunId("damaged");
        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(Models.planned(first, model));
            Path torchDist = Path.of(log.await(first, CheckpointConverted.class).torchDist());
            Files.delete(torchDist.resolve("release/.metadata"));

            kafka.publish(Models.planned(second, model));
            CheckpointConverted again = log.await(second, CheckpointConverted.class);

            assertThat(again.reused()).isFalse();
            assertThat(again.torchDist()).isEqualTo(torchDist.toString());
            assertThat(torchDist.resolve("release/.metadata")).isNotEmptyFile();
        }
    }

    @Test
    void theSameCutIsExportedOnceAndTheExportOfAnotherCutIsKept(KafkaBroker kafka) throws IOException {
        String run = kafka.newRunId("export");
        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(Models.planned(run, MODEL));
            String cut = log.await(run, CheckpointConverted.class).torchDist();

            kafka.publish(lastCut(run, cut, "one"));
            Path export = Path.of(awaitExports(log, run, 1).huggingFace());
            FileTime made = Files.getLastModifiedTime(export.resolve("config.json"));
            kafka.publish(lastCut(run, cut, "one"));
            awaitExports(log, run, 2);
            assertThat(Files.getLastModifiedTime(export.resolve("config.json"))).isEqualTo(made);

            kafka.publish(lastCut(run, cut, "two"));
            awaitExports(log, run, 3);
            Path replaced = export.resolveSibling("export-replaced-1");
            assertThat(Files.getLastModifiedTime(replaced.resolve("config.json")))
                    .isEqualTo(made);
            assertSameTensors(MODEL, export);
        }
    }

    @Test
    void figuresTellOutcomesBytesAndWhatTheCacheHolds(KafkaBroker kafka, @TempDir Path directory) throws Exception {
        String run = kafka.newRunId("figures");
        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(Models.planned(run, Models.anotherInto(directory.resolve("model"))));
            log.await(run, CheckpointConverted.class);
        }

        await().untilAsserted(() -> assertThat(metrics())
                .contains(
                        "sluice_converter_conversion_seconds_count{direction=\"to_torch_dist\",outcome=\"converted\"}",
                        "sluice_converter_bytes_total ",
                        "sluice_converter_hashed_bytes_total ",
                        "sluice_converter_cache_hits_total ",
                        "sluice_converter_damaged_total ",
                        "sluice_converter_deleted_total ")
                .containsPattern("sluice_converter_cache_conversions [1-9]")
                .containsPattern("sluice_converter_cache_bytes [1-9]"));
    }

    private String metrics() throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(HttpRequest.newBuilder(metrics).build(), HttpResponse.BodyHandlers.ofString())
                    .body();
        }
    }

    private static CheckpointExported awaitExports(EventLog log, String run, int count) {
        return await().until(() -> log.events(run, CheckpointExported.class), events -> events.size() == count)
                .getLast();
    }

    @Test
    void aTruncatedShardFailsWithItsNameAndLeavesNothingBehind(KafkaBroker kafka, @TempDir Path directory)
            throws IOException {
        String run = kafka.newRunId("truncated");
        Models.copyInto(directory);
        Path shard = directory.resolve("model-00001-of-00002.safetensors");
        try (var channel = java.nio.channels.FileChannel.open(shard, java.nio.file.StandardOpenOption.WRITE)) {
            channel.truncate(channel.size() - 1000);
        }

        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(Models.planned(run, directory));
            ConversionFailed failed = log.await(run, ConversionFailed.class);

            assertThat(failed.reason()).contains("model-00001-of-00002.safetensors");
            assertThat(Models.filesOf(Path.of("target/converter-it/checkpoints")))
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

    private static CheckpointSaved lastCut(String runId, String directory, String manifest) {
        return new CheckpointSaved(runId, 1, 3, 3, 3, directory, manifest, true, 0, 0, List.of(), 0, 0, "");
    }
}
