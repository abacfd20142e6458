package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import dev.sluice.http.Json;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls beside the main road, and streams that carry only what is new. */
class SecondTierTest {
    @TempDir
    private static Path models;

    private static Path letters;
    private static RunningEngine engine;

    @BeforeAll
    static void start() throws IOException {
        letters = TestModels.markov(models.resolve("letters"), 3, 0);
        engine = RunningEngine.start(
                letters, "--incremental-streaming-output", "--enable-metrics", "--speculative-algorithm", "EAGLE");
    }

    @AfterAll
    static void stop() {
        engine.close();
    }

    @Test
    void weightsByNameAreTheCheckpointsOwn() throws IOException {
        JsonNode rows = HttpEndpoint.at(engine.uri())
                .call(new HttpCall(
                        "GET",
                        "/get_weights_by_name",
                        Map.of("name", "lm_head.weight", "truncate_size", 2),
                        RunningEngine.DEADLINE))
                .tree();

        assertThat(rows).hasSize(2);
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(letters)) {
            ByteBuffer data = checkpoint.data("lm_head.weight").order(ByteOrder.LITTLE_ENDIAN);
            for (int row = 0; row < 2; row++) {
                for (int column = 0; column < rows.get(row).size(); column++) {
                    assertThat(rows.get(row).get(column).asDouble()).isCloseTo(data.getFloat(), within(1e-7));
                }
            }
        }
    }

    @Test
    void anUnknownWeightIsA400() throws IOException {
        HttpReply reply = engine.post("/get_weights_by_name", Map.of("name", "no.such"));

        assertThat(reply.status()).isEqualTo(400);
        assertThat(reply.tree().at("/error/message").asText()).contains("no.such");
    }

    @Test
    void theAverageOfAcceptedLengthsBeginsAnewWhereInternalStateIsSet() throws IOException {
        engine.generate(
                new int[] {4}, SamplingParams.of(20, 0).change().ignoreEos(true).done());
        double before = averageLength();

        JsonNode set = engine.post(
                        "/set_internal_state",
                        Map.of("server_args", Map.of("speculative_accept_threshold_single", 1.0)))
                .tree();
        JsonNode lossy = engine.post(
                        "/set_internal_state",
                        Map.of("server_args", Map.of("speculative_accept_threshold_single", 0.9)))
                .tree();

        assertThat(before).isGreaterThan(1);
        assertThat(set.at("/0/updated").asBoolean()).isTrue();
        assertThat(averageLength()).isZero();
        assertThat(lossy.at("/0/updated").asBoolean())
                .as("it would change the law of samples")
                .isFalse();
    }

    @Test
    void groupsOfTorchAreRefusedWithTheWayToGo() throws IOException {
        assertThat(engine.post(
                                "/init_weights_update_group",
                                Map.of("master_address", "a", "master_port", "1", "rank_offset", 1, "world_size", 2))
                        .tree()
                        .get("message")
                        .asText())
                .contains("use update_weights_from_disk");
        assertThat(engine.post("/destroy_weights_update_group", Map.of("group_name", "g"))
                        .tree()
                        .get("message")
                        .asText())
                .isEqualTo("The group to be destroyed does not exist.");
    }

    @Test
    void incrementalFramesAddUp() throws IOException {
        Map<String, Object> body = Map.of(
                "input_ids",
                new int[] {4, 5},
                "return_logprob",
                true,
                "sampling_params",
                Map.of("max_new_tokens", 12, "temperature", 0, "ignore_eos", true));
        JsonNode whole = engine.post("/generate", body).tree();
        Map<String, Object> streaming = new HashMap<>(body);
        streaming.put("stream", true);

        String[] frames = engine.post("/generate", streaming).text().split("\n\n");

        StringBuilder text = new StringBuilder();
        int tokens = 0;
        for (int i = 0; i < frames.length - 1; i++) {
            JsonNode frame = Json.MAPPER.readTree(frames[i].substring("data: ".length()));
            text.append(frame.get("text").asText());
            tokens += frame.get("output_ids").size();
            assertThat(frame.at("/meta_info/output_token_logprobs"))
                    .hasSize(frame.get("output_ids").size());
            assertThat(frame.at("/meta_info/output_token_logprobs_length").asInt())
                    .isEqualTo(tokens);
        }
        assertThat(text.toString()).isEqualTo(whole.get("text").asText());
        assertThat(tokens).isEqualTo(12);
    }

    @Test
    void metricsOfRequestsAreHistogramsThatCountEveryOne() {
        for (int i = 0; i < 3; i++) {
            engine.generate(
                    new int[] {4},
                    SamplingParams.of(5, 1).change().ignoreEos(true).done());
        }

        String metrics = engine.client().metrics();

        for (String name : new String[] {
            "time_to_first_token_seconds",
            "inter_token_latency_seconds",
            "e2e_request_latency_seconds",
            "queue_time_seconds",
            "generation_tokens_histogram"
        }) {
            assertThat(metrics)
                    .contains("# TYPE sglang:" + name + " histogram")
                    .containsPattern("sglang:" + name + "_bucket\\{[^}]*le=\"\\+Inf\"} [1-9]")
                    .containsPattern("sglang:" + name + "_count\\{[^}]*} [1-9]");
        }
        assertThat(metrics)
                .contains(
                        "source=\"disk\"",
                        "mode=\"decode\"",
                        "sglang:engine_startup_time",
                        "sglang:num_retracted_reqs");
    }

    private static double averageLength() throws IOException {
        return engine.client()
                .serverInfoTree()
                .at("/internal_states/0/avg_spec_accept_length")
                .asDouble();
    }
}
