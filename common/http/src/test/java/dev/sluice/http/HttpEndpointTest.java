package dev.sluice.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.sun.net.httpserver.HttpServer;
import dev.sluice.http.HttpCallException.Reason;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpEndpointTest {
    private static final Duration LONG = Duration.ofSeconds(20);

    private final CountDownLatch testEnds = new CountDownLatch(1);
    private HttpServer server;
    private HttpEndpoint endpoint;

    record Point(int x, int y) {}

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        server.start();
        endpoint = HttpEndpoint.at(
                URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/api/"));
    }

    @AfterEach
    void stop() {
        testEnds.countDown();
        server.stop(0);
    }

    @Test
    void aBodyGoesOutAndComesBackAsJsonWithTheToken() {
        server.createContext("/api/echo", exchange -> {
            String token = exchange.getRequestHeaders().getFirst("Authorization");
            byte[] body = exchange.getRequestBody().readAllBytes();
            exchange.sendResponseHeaders("Bearer t".equals(token) ? 200 : 401, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });

        Point echoed = endpoint.withBearerToken("t").json(HttpCall.post("/echo", new Point(1, 2), LONG), Point.class);

        assertThat(echoed).isEqualTo(new Point(1, 2));
        assertThat(endpoint.call(HttpCall.post("/echo", Map.of(), LONG)).status())
                .isEqualTo(401);
    }

    @Test
    void eventsAreHandedOnOneByOneWhileTheyCome() {
        CountDownLatch read = new CountDownLatch(1);
        List<String> events = new ArrayList<>();
        server.createContext("/api/events", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write(": hello\n\ndata: one\r\n\r\nda".getBytes(StandardCharsets.UTF_8));
            exchange.getResponseBody().flush();
            await(read); // the second event comes only after the first was read
            exchange.getResponseBody().write("ta:zwei \u00e4\n\n".getBytes(StandardCharsets.UTF_8));
            exchange.close();
        });

        endpoint.events(HttpCall.post("/events", Map.of(), LONG), event -> {
            events.add(event);
            read.countDown();
        });

        assertThat(events).containsExactly("one", "zwei \u00e4");
    }

    @Test
    void aStreamThatIsRefusedOrNeverEndsOrCannotBeReadFails() {
        answer("/api/refused", 503, "later");
        server.createContext("/api/endless", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write("data: one\n\n".getBytes(StandardCharsets.UTF_8));
            exchange.getResponseBody().flush();
            await(testEnds);
        });

        assertThat(streamFailure(HttpCall.get("/refused", LONG)).status()).isEqualTo(503);
        assertThat(streamFailure(HttpCall.get("/endless", Duration.ofMillis(200)))
                        .reason())
                .isEqualTo(Reason.DEADLINE);
        assertThatThrownBy(() -> endpoint.events(HttpCall.get("/endless", LONG), event -> {
                    throw new IllegalArgumentException("cannot read " + event);
                }))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("cannot read one");
    }

    private HttpCallException streamFailure(HttpCall call) {
        return catchThrowableOfType(HttpCallException.class, () -> endpoint.events(call, event -> {}));
    }

    @Test
    void anotherStatusThan2xxNamesMethodUrlStatusAndTheStartOfTheBody() {
        answer("/api/broken", 503, "try\n  later " + "x".repeat(1000));

        HttpCallException failure = failure(HttpCall.get("/broken", LONG));

        assertThat(failure.reason()).isEqualTo(Reason.STATUS);
        assertThat(failure.status()).isEqualTo(503);
        assertThat(failure)
                .hasMessageStartingWith("GET " + endpoint.baseUri() + "/broken: status 503: try later xxx")
                .message()
                .hasSizeLessThan(600);
    }

    @Test
    void aReplyThatIsNotWhatWasAskedForIsShown() {
        answer("/api/text", 200, "hello");

        assertThatThrownBy(() -> endpoint.json(HttpCall.get("/text", LONG), Point.class))
                .hasMessageContaining("not a Point")
                .hasMessageContaining("hello");
    }

    @Test
    void theDeadlineCoversTheBodyToo() {
        server.createContext("/api/slow", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            exchange.getResponseBody().write('{');
            exchange.getResponseBody().flush();
            await(testEnds);
        });

        HttpCallException failure = failure(HttpCall.get("/slow", Duration.ofMillis(300)));

        assertThat(failure.reason()).isEqualTo(Reason.DEADLINE);
        assertThat(failure).hasMessageContaining("PT0.3S");
    }

    @Test
    void aReplyBeyondTheLimitIsBrokenOff() {
        server.createContext("/api/endless", exchange -> {
            exchange.sendResponseHeaders(200, 0);
            try {
                while (testEnds.getCount() > 0) {
                    exchange.getResponseBody().write(new byte[1 << 16]);
                }
            } finally {
                exchange.close();
            }
        });

        HttpCallException failure = catchThrowableOfType(
                HttpCallException.class, () -> endpoint.withReplyLimit(1 << 20).call(HttpCall.get("/endless", LONG)));

        assertThat(failure.reason()).isEqualTo(Reason.REPLY_TOO_LARGE);
        assertThat(failure).hasMessageContaining("1048576");
    }

    @Test
    void nobodyListeningIsSaidPlainly() throws IOException {
        int port;
        try (ServerSocket free = new ServerSocket(0)) {
            port = free.getLocalPort();
        }
        HttpEndpoint nobody = HttpEndpoint.at(URI.create("http://127.0.0.1:" + port));

        assertThatThrownBy(() -> nobody.call(HttpCall.get("/", LONG)))
                .isInstanceOfSatisfying(
                        HttpCallException.class, e -> assertThat(e.reason()).isEqualTo(Reason.UNREACHABLE))
                .hasMessageContaining("connection refused");
    }

    @Test
    void anIdleConnectionThatTheServerClosedIsReplacedOnce() throws IOException {
        try (DroppingServer dropping = new DroppingServer(1)) {
            HttpEndpoint flaky = HttpEndpoint.at(dropping.uri());

            assertThat(flaky.call(HttpCall.post("/", Map.of(), LONG)).text()).isEqualTo("ok");
            assertThat(dropping.requests.get()).isEqualTo(2);
        }
    }

    @Test
    void aConnectionThatBreaksAgainIsAFailure() throws IOException {
        try (DroppingServer dropping = new DroppingServer(10)) {
            HttpEndpoint flaky = HttpEndpoint.at(dropping.uri());

            assertThatThrownBy(() -> flaky.call(HttpCall.post("/", Map.of(), LONG)))
                    .hasMessageContaining("connection broke");
            assertThat(dropping.requests.get()).isEqualTo(2);
        }
    }

    @Test
    void onlyAddressesThatCanBeCalledAreTaken() {
        for (String address : new String[] {"file:///etc/passwd", "http:/nohost", "http://u:p@host", "http://h?q=1"}) {
            assertThatThrownBy(() -> HttpEndpoint.at(URI.create(address)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(address);
        }
    }

    private HttpCallException failure(HttpCall call) {
        return catchThrowableOfType(HttpCallException.class, () -> endpoint.require(call));
    }

    private void answer(String path, int status, String body) {
        byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
        server.createContext(path, exchange -> {
            exchange.sendResponseHeaders(status, bytes.length);
            exchange.getResponseBody().write(bytes);
            exchange.close();
        });
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Reads a request and closes the connection, as a server does whose idle time is over; later answers "ok". */
    private static final class DroppingServer implements AutoCloseable {
        private final ServerSocket socket = new ServerSocket(0, 10, InetAddress.getLoopbackAddress());
        private final AtomicInteger requests = new AtomicInteger();
        private final int drops;

        DroppingServer(int drops) throws IOException {
            this.drops = drops;
            Thread.ofVirtual().start(this::serve);
        }

        URI uri() {
            return URI.create("http://127.0.0.1:" + socket.getLocalPort());
        }

        private void serve() {
            while (!socket.isClosed()) {
                try (Socket connection = socket.accept()) {
                    byte[] request = new byte[4096];
                    int read = 0;
                    while (!new String(request, 0, read, StandardCharsets.ISO_8859_1).endsWith("\r\n\r\n{}")) {
                        read += connection.getInputStream().read(request, read, request.length - read);
                    }
                    if (requests.incrementAndGet() > drops) {
                        connection
                                .getOutputStream()
                                .write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                                        .getBytes(StandardCharsets.UTF_8));
                    }
                } catch (IOException | IndexOutOfBoundsException e) {
                    // The test has ended.
                }
            }
        }

        @Override
        public void close() throws IOException {
            socket.close();
        }
    }
}
