package dev.sluice.planner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.Topics;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Two planners: one decides, the other follows and takes over. */
@ExtendWith(KafkaBroker.class)
class StandInIT {

    @Test
    void aStandInLeavesTheElectedPlannerAloneAndTakesOverWhenItDies(KafkaBroker kafka, @TempDir Path directory)
            throws IOException {
        // Given
        Inputs inputs = Inputs.in(directory);
        try (EventLog runs = kafka.follow(Topics.RUN_EVENTS);
                PlannerProcess first = start(kafka, directory, "first");
                PlannerProcess second = start(kafka, directory, "second")) {
            String before = kafka.newRunId("before");
            first.post("/v1/runs?runId=" + before, "application/yaml", inputs.yaml(3));
            runs.await(before, RunPlanned.class);

            // When
            first.kill();
            String after = kafka.newRunId("after");
            second.post("/v1/runs?runId=" + after, "application/yaml", inputs.yaml(4));

            // Then
            runs.await(after, RunPlanned.class, any -> true, Duration.ofSeconds(60));
            assertThat(second.get("/v1/runs/" + before).statusCode()).isEqualTo(200);
        }
        assertThat(Files.readString(directory.resolve("first/planner.log")))
                .doesNotContain("another planner was elected");
    }

    private static PlannerProcess start(KafkaBroker kafka, Path directory, String name) throws IOException {
        Path own = Files.createDirectory(directory.resolve(name));
        return PlannerProcess.start(
                kafka.bootstrapServers(),
                own,
                Map.of("sluice.data-root", directory.toString(), "sluice.instance-id", "planner-" + name));
    }
}
