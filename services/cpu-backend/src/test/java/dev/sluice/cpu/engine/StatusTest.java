package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.ServerInfo;
import dev.sluice.sglang.SglangClient;
import java.io.IOException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What routers and monitors read. */
class StatusTest {
    private static RunningEngine engine;

    @BeforeAll
    static void start() throws IOException {
        engine = RunningEngine.start(
                TestModels.TINY,
                "--api-key",
                "secret",
                "--enable-metrics",
                "--tp-size",
                "2",
                "--served-model-name",
                "tiny \"quoted\"",
                "--speculative-algorithm",
                "EAGLE");
    }

    @AfterAll
    static void stop() {
        engine.close();
    }

    @Test
    void probesAndMetricsAreOpenAndTheRestAsksForTheKey() {
        assertThat(engine.get("/health").status()).isEqualTo(200);
        assertThat(engine.get("/health_generate").body()).isEmpty();
        assertThat(engine.get("/metrics").status()).isEqualTo(200);
        assertThat(engine.get("/model_info").status()).isEqualTo(401);
        assertThat(engine.get("/nowhere").status()).isEqualTo(401);
    }

    @Test
    void unknownPathsAndMethodsAreToldApart() {
        HttpEndpoint authorised = HttpEndpoint.at(engine.uri()).withBearerToken("secret");

        assertThat(authorised
                        .call(HttpCall.get("/nowhere", RunningEngine.DEADLINE))
                        .status())
                .isEqualTo(404);
        assertThat(authorised
                        .call(HttpCall.get("/generate", RunningEngine.DEADLINE))
                        .status())
                .isEqualTo(405);
    }

    @Test
    void theServerTellsItsFlagsAndItsFigures() {
        SglangClient client = new SglangClient(engine.uri(), "secret");
        ServerInfo info = client.serverInfo();
        JsonNode tree = client.serverInfoTree();

        assertThat(info.version()).isEqualTo("0.5.15.post1");
        assertThat(info.tpSize()).isEqualTo(2);
        assertThat(tree.get("context_length").isNull())
                .as("a flag that was not given, as in SGLang")
                .isTrue();
        assertThat(info.maxTotalNumTokens()).isEqualTo(48 * 512);
        assertThat(info.speculativeNumDraftTokens()).isEqualTo(4);
        assertThat(info.internalStates()).hasSize(1);
        assertThat(tree.get("disaggregation_mode").asText()).isEqualTo("null");
        assertThat(tree.get("enable_memory_saver").isBoolean()).isTrue();
        assertThat(tree.toString()).as("the key is nobody's business").doesNotContain("secret");
    }

    @Test
    void loadsAreReadableAndABadSectionIsRefused() {
        HttpEndpoint authorised = HttpEndpoint.at(engine.uri()).withBearerToken("secret");

        assertThat(new SglangClient(engine.uri(), "secret").loads().requests()).isZero();
        assertThat(authorised
                        .call(HttpCall.get("/v1/loads?include=everything", RunningEngine.DEADLINE))
                        .status())
                .isEqualTo(400);
    }

    @Test
    void metricsHaveSglangsNamesAndEscapedLabels() {
        SglangClient client = new SglangClient(engine.uri(), "secret");
        client.generate(
                GenerateRequest.ofTokens(null, new int[] {3, 4}, SamplingParams.of(4, 1)), RunningEngine.DEADLINE);

        assertThat(client.metrics())
                .contains(
                        "# TYPE sglang:num_running_reqs gauge\nsglang:num_running_reqs{model_name=\"tiny \\\"quoted\\\"\"")
                .contains("sglang:spec_accept_length{")
                .containsPattern("sglang:generation_tokens_total\\{[^}]*\\} \\d+\\.\\d");
    }
}
