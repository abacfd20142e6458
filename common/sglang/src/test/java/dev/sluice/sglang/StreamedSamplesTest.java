package dev.sluice.sglang;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.Json;
import dev.sluice.sglang.StreamedSamples.Labelled;
import dev.sluice.sglang.StreamedSamples.Sample;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Streams as SGLang 0.5.15 frames them; cpu-backend tests them against a whole engine. */
class StreamedSamplesTest {
    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final List<GenerateRequest> ONE = requests("a");
    private static final List<GenerateRequest> TWO = requests("a", "b");

    private final AtomicReference<String> sent = new AtomicReference<>();
    private HttpServer server;
    private SglangClient client;
    private String[] frames = {};

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/generate", exchange -> {
            sent.set(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            exchange.sendResponseHeaders(200, 0);
            for (String frame : frames) {
                exchange.getResponseBody().write(("data: " + frame + "\n\n").getBytes(StandardCharsets.UTF_8));
            }
            exchange.close();
        });
        server.start();
        client = new SglangClient(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), null);
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    @Test
    void framesThatRepeatEverythingAndFramesThatOnlyAddMakeTheSameSample() {
        frames = new String[] {
            frame(0, 2, "1", false, 7, 8),
            frame(0, 3, "1", false, 7, 8, 9),
            frame(0, 4, "2", true, 7, 8, 9, 5),
            "[DONE]"
        };
        Sample repeated = stream(ONE).at(0).orElseThrow();
        frames = new String[] {
            frame(0, 2, "1", false, 7, 8), frame(0, 3, "1", false, 9), frame(0, 4, "2", true, 5), "[DONE]"
        };
        Sample added = stream(ONE).at(0).orElseThrow();

        for (Sample sample : List.of(repeated, added)) {
            assertThat(sample.finished()).isTrue();
            assertThat(sample.response().outputIds()).containsExactly(7, 8, 9, 5);
            assertThat(sample.response().meta().outputTokenLogprobs())
                    .extracting(TokenLogprob::tokenId)
                    .containsExactly(7, 8, 9, 5);
            assertThat(sample.labels()).containsExactly(new Labelled("1", 2, 3), new Labelled("2", 1, 1));
        }
    }

    @Test
    void aFrameWithoutTokensIsNotTheFirstOfItsWeights() {
        frames = new String[] {
            frame(0, 2, "1", false, 7, 8), frame(0, 2, "2", false), frame(0, 4, "2", true, 9, 5), "[DONE]"
        };

        assertThat(stream(ONE).at(0).orElseThrow().labels())
                .containsExactly(new Labelled("1", 2, 2), new Labelled("2", 2, 2));
    }

    @Test
    void samplesOfABatchGrowSideBySide() throws IOException {
        frames = new String[] {
            frame(1, 1, "1", false, 4), frame(0, 1, "1", true, 7), frame(1, 2, "1", true, 4, 5), "[DONE]"
        };

        StreamedSamples samples = stream(TWO);

        assertThat(samples.at(0).orElseThrow().response().outputIds()).containsExactly(7);
        assertThat(samples.at(1).orElseThrow().response().outputIds()).containsExactly(4, 5);
        assertThat(Json.MAPPER.readTree(sent.get()).get("stream").asBoolean()).isTrue();
        assertThat(Json.MAPPER.readTree(sent.get()).get("rid")).hasSize(2);
    }

    @Test
    void oneRequestAloneIsNoBatchBecauseRoutersKnowNone() throws IOException {
        frames = new String[] {frame(0, 1, "1", true, 7), "[DONE]"};

        stream(ONE);

        assertThat(Json.MAPPER.readTree(sent.get()).get("rid").asText()).isEqualTo("a");
    }

    @Test
    void whatHadComeBeforeAStreamBrokeOffCanBeRead() {
        frames = new String[] {frame(0, 1, "1", false, 7)};
        StreamedSamples samples = new StreamedSamples(2);

        assertThatThrownBy(() -> client.stream(TWO, samples, DEADLINE))
                .isInstanceOfSatisfying(
                        HttpCallException.class,
                        failure -> assertThat(failure.reason()).isEqualTo(HttpCallException.Reason.NOT_UNDERSTOOD))
                .hasMessageContaining("the stream ended before its samples had");

        assertThat(samples.at(0).orElseThrow().finished()).isFalse();
        assertThat(samples.at(0).orElseThrow().response().outputIds()).containsExactly(7);
        assertThat(samples.at(1)).isEmpty();
    }

    @Test
    void aRefusalInsideAStreamHasTheStatusThatItNames() {
        frames = new String[] {
            "{\"error\":{\"message\":\"The input is longer\",\"type\":\"invalid_request_error\",\"code\":400}}",
            "[DONE]"
        };

        assertThatThrownBy(() -> stream(ONE))
                .isInstanceOfSatisfying(
                        HttpCallException.class,
                        failure -> assertThat(failure.status()).isEqualTo(400))
                .hasMessageContaining("The input is longer");
    }

    @Test
    void framesThatDoNotFitTogetherAreRefused() {
        frames = new String[] {frame(0, 2, "1", false, 7, 8), frame(0, 5, "1", true, 9), "[DONE]"};
        assertThatThrownBy(() -> stream(ONE))
                .hasMessageContaining("has 1 tokens and says that they are 5 in all; 2 had");

        frames = new String[] {frame(3, 1, "1", true, 7), "[DONE]"};
        assertThatThrownBy(() -> stream(ONE)).hasMessageContaining("a frame is of sample 3 of a call of 1");

        frames = new String[] {"nonsense"};
        assertThatThrownBy(() -> stream(ONE)).hasMessageContaining("nonsense");
    }

    private StreamedSamples stream(List<GenerateRequest> requests) {
        StreamedSamples samples = new StreamedSamples(requests.size());
        client.stream(requests, samples, DEADLINE);
        return samples;
    }

    private static List<GenerateRequest> requests(String... rids) {
        return Stream.of(rids)
                .map(rid -> GenerateRequest.ofTokens(rid, new int[] {1}, SamplingParams.of(3, 1)))
                .toList();
    }

    private static String frame(int index, int all, String version, boolean last, int... tokens) {
        StringBuilder ids = new StringBuilder();
        StringBuilder logprobs = new StringBuilder();
        for (int token : tokens) {
            ids.append(ids.isEmpty() ? "" : ",").append(token);
            logprobs.append(logprobs.isEmpty() ? "" : ",").append("[-0.5,%d,null]".formatted(token));
        }
        return """
                {"text":"t","output_ids":[%s],"index":%d,"meta_info":{"id":"a","finish_reason":%s,"prompt_tokens":1,\
                "completion_tokens":%d,"weight_version":"%s","output_token_logprobs":[%s],"output_token_logprobs_length":%d}}""".formatted(
                        ids, index, last ? "{\"type\":\"length\",\"length\":4}" : "null", all, version, logprobs, all);
    }
}
