package dev.sluice.converter;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.Topics;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.test.junit.QuarkusTest;
import io.quarkus.test.junit.QuarkusTestProfile;
import io.quarkus.test.junit.TestProfile;
import jakarta.inject.Inject;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(KafkaBroker.class)
@QuarkusTest
@TestProfile(RetentionIT.KeepNothing.class)
class RetentionIT {
    private static final Duration DEADLINE = Duration.ofSeconds(30);

    public static class KeepNothing implements QuarkusTestProfile {
        @Override
        public Map<String, String> getConfigOverrides() {
            return Map.of(
                    "sluice.converter.keep-conversions",
                    "0",
                    "sluice.converter.sweep-interval",
                    "200ms",
                    "sluice.data-root",
                    Path.of("target/retention-it").toAbsolutePath().toString(),
                    "sluice.input-roots",
                    System.getProperty("java.io.tmpdir"));
        }
    }

    @Inject
    MeterRegistry figures;

    @Test
    void aConversionStaysAsLongAsItsRunAndGoesThen(KafkaBroker kafka, @TempDir Path directory) throws IOException {
        String run = kafka.newRunId("retention");
        Path used;
        try (EventLog log = kafka.follow(Topics.CHECKPOINTS)) {
            kafka.publish(Models.planned(run, Models.anotherInto(directory.resolve("model"))));
            used = Path.of(log.await(run, CheckpointConverted.class).torchDist());
        }
        Files.setLastModifiedTime(used, FileTime.from(Instant.now().minus(Retention.FRESH.multipliedBy(2))));
        // Several looks later it is still there.
        Path leftover = Files.createDirectory(used.resolveSibling(".x.deleted-1"));
        await().atMost(DEADLINE).until(() -> Files.notExists(leftover));
        Path another = Files.createDirectory(used.resolveSibling(".x.deleted-2"));
        await().atMost(DEADLINE).until(() -> Files.notExists(another));
        assertThat(used).exists();

        kafka.publish(new RunCancelled(run, "the test ends it"));

        await().atMost(DEADLINE).until(() -> Files.notExists(used));
        await().atMost(DEADLINE)
                .until(() -> figures.get("sluice_converter_deleted").counter().count() >= 1);
    }
}
