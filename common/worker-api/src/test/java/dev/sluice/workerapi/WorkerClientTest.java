package dev.sluice.workerapi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class WorkerClientTest {
    private static final Duration DEADLINE = Duration.ofSeconds(10);

    private final Deque<Reply> replies = new ArrayDeque<>();
    private final List<String> calls = new CopyOnWriteArrayList<>();
    private HttpServer server;
    private WorkerClient client;

    private record Reply(int status, String body) {}

    @BeforeEach
    void startServer() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", this::answer);
        server.start();
        client = WorkerClient.at(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort()), "secret");
    }

    @AfterEach
    void stopServer() {
        server.stop(0);
    }

    @Test
    void aCallThatIsDoneAtOnceGivesItsResult() {
        replies.add(new Reply(200, """
                {"operationId":"s","state":"done","progress":1,
                 "result":{"dir":"/d","manifest":"/d/manifest.json","manifestSha256":"ab","bytes":7,"seconds":0.5}}
                """));

        FilesWritten written = client.save(new SaveRequest(3, "s", "/d"), DEADLINE);

        assertThat(written).isEqualTo(new FilesWritten("/d", "/d/manifest.json", "ab", 7, 0.5));
        assertThat(calls)
                .containsExactly(
                        "POST /save Bearer secret {\"epoch\":3,\"operationId\":\"s\",\"dir\":\"/d\",\"asynchronous\":false}");
    }

    @Test
    void aRunningOperationIsAskedAfterUntilItIsDone() {
        replies.add(new Reply(202, "{\"operationId\":\"l\",\"state\":\"running\",\"progress\":0}"));
        replies.add(new Reply(200, "{\"operationId\":\"l\",\"state\":\"running\",\"progress\":0.5}"));
        replies.add(new Reply(
                200,
                "{\"operationId\":\"l\",\"state\":\"done\",\"progress\":1,"
                        + "\"result\":{\"step\":4,\"parameters\":9,\"mtp\":true,\"seconds\":1}}"));

        LoadResult result = client.load(LoadRequest.policy(0, "l", "run", "/c", "/h"), DEADLINE);

        assertThat(result).isEqualTo(new LoadResult(4, 9, true, 1, null));
        assertThat(calls.get(2)).startsWith("GET /operations/l Bearer secret");
    }

    @Test
    void aFailedOperationThrowsWhatTheWorkerSaid() {
        replies.add(new Reply(
                200,
                "{\"operationId\":\"s\",\"state\":\"failed\",\"progress\":0,\"error\":{\"code\":\"out_of_memory\","
                        + "\"message\":\"78 GiB are full\",\"mend\":\"lower tokensPerGpu\",\"rank\":3}}"));

        assertThatThrownBy(() -> client.save(new SaveRequest(0, "s", "/d"), DEADLINE))
                .isInstanceOfSatisfying(
                        WorkerException.class,
                        e -> assertThat(e.error())
                                .isEqualTo(new WorkerError(
                                        WorkerErrorCode.OUT_OF_MEMORY, "78 GiB are full", "lower tokensPerGpu", 3)))
                .hasMessage("rank 3: 78 GiB are full; lower tokensPerGpu");
    }

    @Test
    void aRefusalThrowsItsCode() {
        replies.add(new Reply(409, "{\"code\":\"stale_epoch\",\"message\":\"epoch 1 < 2\",\"mend\":\"stop\"}"));

        assertThatThrownBy(() -> client.save(new SaveRequest(1, "s", "/d"), DEADLINE))
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.STALE_EPOCH));
    }

    @Test
    void aCodeOfANewerWorkerIsUnknownButItsMessageStays() {
        replies.add(new Reply(400, "{\"code\":\"moon_phase\",\"message\":\"too full\",\"mend\":\"wait\"}"));

        assertThatThrownBy(() -> client.health(DEADLINE))
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.UNKNOWN))
                .hasMessageContaining("too full");
    }

    @Test
    void anOperationThatTheWorkerDoesNotKnowIsEmpty() {
        replies.add(new Reply(404, "{\"code\":\"not_found\",\"message\":\"no\",\"mend\":\"\"}"));

        assertThat(client.operation("x", DEADLINE)).isEmpty();
    }

    @Test
    void aDeadlineThatPassesWhileTheWorkerWorksSaysHowFarItWas() {
        Reply running = new Reply(202, "{\"operationId\":\"s\",\"state\":\"running\",\"progress\":0.25}");
        replies.add(running);

        assertThatThrownBy(() -> client.save(new SaveRequest(0, "s", "/d"), Duration.ofSeconds(2)))
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.DEADLINE))
                .hasMessageContaining("25 %");
    }

    @Test
    void aDeadlineThatPassesNamesTheRankThatKeepsTheOthersWaiting() {
        replies.add(new Reply(202, """
                {"operationId":"s","state":"running","progress":0.25,"ranks":[
                 {"rank":0,"phase":"waiting for the others","seconds":40.2},
                 {"rank":1,"phase":"optimizer step 1, micro-batch 4 of 8","seconds":61.7},
                 {"rank":2,"phase":"waiting for the others","seconds":39}]}
                """));

        assertThatThrownBy(() -> client.save(new SaveRequest(0, "s", "/d"), Duration.ofSeconds(2)))
                .hasMessageContaining(
                        "(25 %: rank 1 in optimizer step 1, micro-batch 4 of 8 for 62 s, rank 0 in waiting for the others for 40 s)");
    }

    @Test
    void whileAnOperationRunsAnObserverHearsWhereItsRanksAre() {
        List<String> heard = new CopyOnWriteArrayList<>();
        String ranks =
                "[{\"rank\":0,\"phase\":\"writing\",\"seconds\":3},{\"rank\":1,\"phase\":\"writing\",\"seconds\":2}]";
        replies.add(new Reply(
                202, "{\"operationId\":\"s\",\"state\":\"running\",\"progress\":0.5,\"ranks\":" + ranks + "}"));
        replies.add(
                new Reply(
                        200,
                        "{\"operationId\":\"s\",\"state\":\"done\",\"progress\":1,"
                                + "\"result\":{\"dir\":\"/d\",\"manifest\":\"/m\",\"manifestSha256\":\"ab\",\"bytes\":7,\"seconds\":1}}"));

        client.observedBy(new WorkerClient.Observer() {
                    @Override
                    public void ended(String path, Instant began) {
                        heard.add(path + " ended");
                    }

                    @Override
                    public void runs(Operation operation) {
                        heard.add(operation.situation());
                    }
                })
                .save(new SaveRequest(0, "s", "/d"), DEADLINE);

        assertThat(heard).containsExactly("50 %: all 2 ranks in writing for 3 s", "/save ended");
    }

    @Test
    void aDeadWorkerIsUnreachable() {
        server.stop(0);

        assertThatThrownBy(() -> client.health(DEADLINE))
                .isInstanceOfSatisfying(
                        WorkerException.class, e -> assertThat(e.code()).isEqualTo(WorkerErrorCode.UNREACHABLE));
    }

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            calls.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + exchange.getRequestHeaders().getFirst("Authorization") + " " + body);
            Reply reply = replies.size() > 1 ? replies.poll() : replies.peek();
            byte[] bytes = reply.body().getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(reply.status(), bytes.length);
            exchange.getResponseBody().write(bytes);
        }
    }
}
