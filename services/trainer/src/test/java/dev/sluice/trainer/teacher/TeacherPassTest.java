package dev.sluice.trainer.teacher;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.http.Json;
import dev.sluice.trainer.run.TrainingRefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Replies as SGLang 0.5.15 sends them, and what a server can do instead. */
class TeacherPassTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<JsonNode> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch over = new CountDownLatch(1);
    private HttpServer http;
    private Function<JsonNode, Reply> answer =
            request -> new Reply(200, truth(request).toString());

    private record Reply(int status, String body) {}

    @BeforeEach
    void listen() throws IOException {
        http = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        http.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        http.createContext("/generate", this::serve);
        http.start();
    }

    @AfterEach
    void stop() {
        over.countDown();
        http.stop(0);
    }

    @Test
    void eachTokenOfAResponseGetsItsLogprobAndPromptsGetNone() throws InterruptedException {
        try (TeacherPass pass = begin(PATIENCE)) {
            assertThat(pass.endsWithin(PATIENCE)).isTrue();
            // truth() says -id/10
            assertThat(pass.column()).containsExactly(0, 0, -1.2f, -1.3f, 0, -2.1f, -2.2f, -2.3f);
        }
        assertThat(requests)
                .extracting(request -> request.at("/logprob_start_len").asInt())
                .containsExactlyInAnyOrder(1, 0);
        assertThat(requests)
                .allSatisfy(request -> assertThat(request.toString())
                        .contains("\"max_new_tokens\":0", "\"return_logprob\":true", "\"temperature\":1.0"));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            /meta_info/input_token_logprobs/1 | [-1.5, 9, null] | token 9 at position
            /meta_info/input_token_logprobs/1 | [null, 12, null] | the log-probability null
            /meta_info/input_token_logprobs/1 | [0.5, 12, null] | the log-probability 0.5
            /meta_info/input_token_logprobs   | [[null, 11, null]] | 1 log-probabilities for
            /meta_info/input_token_logprobs   | null | no log-probabilities for
            /meta_info                        | {} | the teacher
            """)
    void aWrongAnswerEndsThePassWithWhatWasWrong(String place, String value, String said) throws Exception {
        JsonNode wrong = Json.MAPPER.readTree(value);
        answer = request -> {
            ObjectNode reply = truth(request);
            if (request.at("/input_ids/0").asInt() != 10) {
                return new Reply(200, reply.toString());
            }
            JsonNode parent = reply.at(place.substring(0, place.lastIndexOf('/')));
            String key = place.substring(place.lastIndexOf('/') + 1);
            if (parent instanceof ArrayNode array) {
                array.set(Integer.parseInt(key), wrong);
            } else {
                ((ObjectNode) parent).set(key, wrong);
            }
            return new Reply(200, reply.toString());
        };

        assertRefused(said);
    }

    @ParameterizedTest
    @CsvSource({"400, The input is longer", "401, Unauthorized", "404, Not Found", "200, <html>"})
    void aRefusalEndsThePass(int status, String body) throws InterruptedException {
        answer = request -> new Reply(status, body);

        assertRefused(body);
    }

    @Test
    void aBusyServerIsAskedAgain() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        answer = request -> calls.incrementAndGet() <= 2
                ? new Reply(503, "loading")
                : new Reply(200, truth(request).toString());

        assertAnswered();
    }

    @Test
    void aSampleThatSomebodyAbortedIsAskedAgain() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        answer = request -> {
            ObjectNode reply = truth(request);
            if (calls.incrementAndGet() == 1) {
                ObjectNode meta = (ObjectNode) reply.get("meta_info");
                meta.putObject("finish_reason").put("type", "abort").put("message", "Abort in waiting queue");
                meta.putArray("input_token_logprobs");
            }
            return new Reply(200, reply.toString());
        };

        assertAnswered();
    }

    @Test
    void aCallThatHangsIsMadeAgain() throws InterruptedException {
        AtomicInteger calls = new AtomicInteger();
        answer = request -> {
            if (calls.incrementAndGet() == 1) {
                hang();
            }
            return new Reply(200, truth(request).toString());
        };
        try (TeacherPass pass = begin(Duration.ofSeconds(1))) {
            assertThat(pass.endsWithin(PATIENCE)).isTrue();
            assertThat(pass.column()).hasSize(8);
        }
        assertThat(calls.get()).isGreaterThanOrEqualTo(3);
    }

    @Test
    void noMoreAreAskedAtOnceThanAllowed() throws InterruptedException {
        AtomicInteger now = new AtomicInteger();
        AtomicInteger most = new AtomicInteger();
        answer = request -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            Reply reply = new Reply(200, truth(request).toString());
            now.decrementAndGet();
            return reply;
        };
        try (TeacherPass pass = TeacherPass.begin(address(), rows(), 1, PATIENCE)) {
            assertThat(pass.endsWithin(PATIENCE)).isTrue();
        }
        assertThat(most).hasValue(1);
    }

    @Test
    void aServerThatIsAwayIsSaidToBeWhileItIsAwaited() throws InterruptedException {
        http.stop(0);
        try (TeacherPass pass = begin(PATIENCE)) {
            await().atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(pass.situation())
                            .contains("0 of 2 samples are answered by " + address(), "connection refused"));
            assertThat(pass.endsWithin(Duration.ofMillis(1))).isFalse();
        }
    }

    private void assertAnswered() throws InterruptedException {
        try (TeacherPass pass = begin(PATIENCE)) {
            assertThat(pass.endsWithin(PATIENCE)).isTrue();
            assertThat(pass.column()).containsExactly(0, 0, -1.2f, -1.3f, 0, -2.1f, -2.2f, -2.3f);
        }
        assertThat(requests).hasSizeGreaterThan(2);
    }

    private void assertRefused(String said) throws InterruptedException {
        try (TeacherPass pass = begin(PATIENCE)) {
            assertThat(pass.endsWithin(PATIENCE)).isTrue();
            assertThatThrownBy(pass::column)
                    .isInstanceOf(TrainingRefusedException.class)
                    .hasMessageContaining(said)
                    .hasMessageContaining(address().toString());
        }
    }

    private TeacherPass begin(Duration callDeadline) {
        return TeacherPass.begin(address(), rows(), 2, callDeadline);
    }

    private URI address() {
        return URI.create("http://127.0.0.1:" + http.getAddress().getPort());
    }

    /** Two samples: a prompt of 2 and a response of 2 tokens, a prompt of 1 and a response of 3. */
    private static BatchRows rows() {
        return new BatchRows(
                new int[] {10, 11, 12, 13, 20, 21, 22, 23},
                new int[] {0, 4, 8},
                new int[] {2, 1},
                new long[2],
                new int[2],
                new float[2],
                new byte[2],
                new byte[8],
                new float[8],
                new float[8],
                new int[8],
                new int[6],
                new double[2]);
    }

    /** SGLang's reply: the first of the tokens asked for has no log-probability. */
    private static ObjectNode truth(JsonNode request) {
        ObjectNode reply = Json.MAPPER.createObjectNode().put("text", "");
        reply.putArray("output_ids");
        ObjectNode meta = reply.putObject("meta_info").put("id", "r").put("weight_version", "default");
        meta.putObject("finish_reason").put("type", "length").put("length", 0);
        ArrayNode logprobs = meta.putArray("input_token_logprobs");
        int start = request.get("logprob_start_len").asInt();
        for (int i = start; i < request.get("input_ids").size(); i++) {
            int token = request.get("input_ids").get(i).asInt();
            ArrayNode triple = logprobs.addArray();
            (i == start ? triple.addNull() : triple.add(-token / 10.0))
                    .add(token)
                    .addNull();
        }
        return reply;
    }

    private void serve(HttpExchange exchange) throws IOException {
        JsonNode request = Json.MAPPER.readTree(exchange.getRequestBody());
        requests.add(request);
        Reply reply = answer.apply(request);
        byte[] body = reply.body.getBytes(StandardCharsets.UTF_8);
        try (exchange) {
            exchange.sendResponseHeaders(reply.status, body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private void hang() {
        try {
            over.await();
        } catch (InterruptedException e) {
            throw new UncheckedIOException(new IOException(e));
        }
    }
}
