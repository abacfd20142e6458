package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.Rollout.Turns;
import dev.sluice.http.Json;
import dev.sluice.testkit.KafkaBroker;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** The packaged service, a real CPU engine and an environment behind HTTP take turns. */
@ExtendWith(KafkaBroker.class)
class TurnsIT {
    private static final int FIVE = 10;

    @TempDir
    Path folder;

    @BeforeAll
    static void needsTheCpuEngine() throws IOException {
        assertThat(RunningRollout.engineIsBuilt())
                .as("the CPU engine is built; if not: ./mvnw -pl services/cpu-backend -am package -DskipTests")
                .isTrue();
    }

    @Test
    void aResponseOfTwoTurnsHasTheEnvironmentsTextBetweenThem(KafkaBroker kafka) throws IOException {
        HttpServer tool = startTool();
        String url = "http://127.0.0.1:" + tool.getAddress().getPort() + "/turn";
        try (Scenario run = new Scenario(kafka, folder);
                RunningRollout service = run.startService(Map.of("SLUICE_ROLLOUT_ENVIRONMENT_URLS", url))) {
            // Given
            run.begin();
            // When
            GroupRequested task = task(run, url);
            kafka.publish(task);
            // Then
            assertThat(run.sampled(task).samples()).hasSize(Scenario.SAMPLES).allSatisfy(sample -> {
                byte[] mask = sample.lossMask().toArray();
                int[] said = IntStream.range(0, mask.length)
                        .filter(i -> mask[i] == 0)
                        .toArray();
                assertThat(said).hasSize(1);
                assertThat(said[0]).isBetween(1, mask.length - 2);
                assertThat(sample.tokens().get(said[0])).isEqualTo(FIVE);
                assertThat(sample.logprobs().toArray()[said[0]]).isZero();
                assertThat(sample.finishReason()).isEqualTo(FinishReason.STOP);
            });
        } finally {
            tool.stop(0);
        }
    }

    /** Says 5 to the first turn and is done after the second. */
    private static HttpServer startTool() throws IOException {
        HttpServer tool = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        tool.createContext("/turn", exchange -> {
            int turn = Json.MAPPER
                    .readTree(exchange.getRequestBody().readAllBytes())
                    .path("turn")
                    .asInt();
            byte[] answer = (turn == 1 ? "{\"text\": \"5\"}" : "{\"done\": true}").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        tool.start();
        return tool;
    }

    /** A random model rarely ends by itself: half of its tokens end a turn here. */
    private static GroupRequested task(Scenario run, String url) {
        List<Integer> stops = IntStream.range(0, 256).map(i -> 2 * i).boxed().toList();
        return new GroupRequested(
                run.runId,
                1,
                run.runId + "/0",
                0,
                0,
                1,
                run.instanceId,
                Prompt.of("12+34="),
                "46",
                "exact",
                Scenario.SAMPLES,
                new Sampling(1, 1, -1, 200, 42, List.of(), stops, List.of()),
                0,
                null,
                Instant.now().plusSeconds(60),
                PartialRollout.RESTART,
                List.of(),
                null,
                null,
                new Turns(url, 2, 10),
                null);
    }
}
