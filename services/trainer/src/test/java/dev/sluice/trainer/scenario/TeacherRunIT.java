package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.http.Json;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Runs whose teacher is a server. */
@ExtendWith(KafkaBroker.class)
class TeacherRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path dataRoot;

    private final AtomicInteger answered = new AtomicInteger();
    private HttpServer http;
    private volatile int status = 200;
    private volatile double logprob = -0.5;

    @BeforeEach
    void listen() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/generate", this::serve);
        http.start();
    }

    @AfterEach
    void stop() {
        http.stop(0);
    }

    @Test
    void aRunWaitsForABusyTeacherAndSaysSoAndASuccessorDoesNotAskAgain(KafkaBroker kafka) throws IOException {
        String runId = kafka.newRunId("teacher");
        status = 503;
        try (Scenario scenario = scenario(kafka, runId);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(4);
            RunTrainer first = scenario.trainer(1);
            first.start();
            WaitChanged waits = log.await(
                    runId, WaitChanged.class, wait -> wait.waitingFor().contains("teacher"), DEADLINE);
            status = 200;
            log.await(runId, StepCompleted.class, completed -> completed.step() == 4, DEADLINE);
            int asked = answered.get();

            first.supersede(); // leaves everything as kill -9 would
            scenario.stopWorker();
            RunTrainer second = scenario.trainer(2);
            second.start();
            rollout.goOn();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 8, DEADLINE);

            assertThat(waits.waitingFor()).isEqualTo("the teacher's word on step 1");
            assertThat(waits.reason()).contains("0 of 4 samples are answered by http://", "status 503");
            // ChainWorkerMain's engines say what SmallRollout says; 4 samples a step, steps 1 to 4 before, 5 to 8
            // after.
            assertThat(asked).isEqualTo(16);
            assertThat(answered).hasValue(32);
            assertThat(log.events(runId, StepCompleted.class).getFirst().metrics())
                    .containsKey("rollout/opd_reverse_kl");
            second.end(DEADLINE);
        }
    }

    @Test
    void aLyingTeacherEndsTheRunWithWhatItSaid(KafkaBroker kafka) throws IOException {
        logprob = 0.5;

        TrainerLost lost = lost(kafka, Map.of());

        assertThat(lost.retry()).isFalse();
        assertThat(lost.reason()).contains("the teacher at http://", "the log-probability 0.5");
    }

    @Test
    void aTeacherThatStaysAwayEndsTheRunWithTheReasonAndAnotherTrainerMayTry(KafkaBroker kafka) throws IOException {
        status = 503;

        TrainerLost lost = lost(kafka, Map.of("sluice.trainer.waits.teacher", "3s"));

        assertThat(lost.retry()).isTrue();
        assertThat(lost.reason()).contains("the teacher's word on step 1 did not come within PT3S", "status 503");
    }

    @Test
    void aTeacherThatThisTrainerMayNotCallIsNotCalled(KafkaBroker kafka) throws IOException {
        TrainerLost lost = lost(kafka, Map.of("sluice.trainer.teacher-urls", "http://teacher:30000"));

        assertThat(lost.retry()).isFalse();
        assertThat(lost.reason()).contains("is not covered by this instance's sluice.trainer.teacher-urls");
        assertThat(answered).hasValue(0);
    }

    private TrainerLost lost(KafkaBroker kafka, Map<String, String> configuration) throws IOException {
        String runId = kafka.newRunId("teacher");
        try (Scenario scenario = scenario(kafka, runId);
                EventLog log = kafka.follow(Topics.TRAINING);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            scenario.configuration.putAll(configuration);
            scenario.trainer(1).start();
            TrainerLost lost = log.await(runId, TrainerLost.class, any -> true, DEADLINE);
            assertThat(log.events(runId, StepCompleted.class)).isEmpty();
            return lost;
        }
    }

    private Scenario scenario(KafkaBroker kafka, String runId) throws IOException {
        String address = "http://127.0.0.1:" + http.getAddress().getPort();
        Scenario scenario = new Scenario(
                kafka.connection("trainer-test"),
                runId,
                dataRoot,
                Map.of(
                        "rollout.maxPolicyLag",
                        0,
                        "algorithm.oldLogprobs",
                        "rollout",
                        "algorithm.distillation",
                        Map.of("teacher", address)));
        scenario.configuration.put("sluice.trainer.teacher-urls", address);
        return scenario;
    }

    private void serve(HttpExchange exchange) throws IOException {
        JsonNode request = Json.MAPPER.readTree(exchange.getRequestBody());
        byte[] body = Json.MAPPER.writeValueAsBytes(reply(request));
        int now = status;
        if (now == 200) {
            answered.incrementAndGet();
        }
        try (exchange) {
            exchange.sendResponseHeaders(now, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private ObjectNode reply(JsonNode request) {
        ObjectNode reply = Json.MAPPER.createObjectNode();
        reply.putArray("output_ids");
        ObjectNode meta = reply.putObject("meta_info").put("id", "r").put("weight_version", "default");
        meta.putObject("finish_reason").put("type", "length").put("length", 0);
        ArrayNode logprobs = meta.putArray("input_token_logprobs");
        int start = request.get("logprob_start_len").asInt();
        for (int i = start; i < request.get("input_ids").size(); i++) {
            ArrayNode triple = logprobs.addArray();
            (i == start ? triple.addNull() : triple.add(logprob))
                    .add(request.get("input_ids").get(i).asInt())
                    .addNull();
        }
        return reply;
    }
}
