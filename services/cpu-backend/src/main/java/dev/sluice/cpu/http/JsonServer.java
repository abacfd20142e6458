package dev.sluice.cpu.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.sluice.http.Json;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Phaser;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** An HTTP/1.1 server for JSON: one virtual thread a call, bodies in bounded memory. Binds when it is started. */
public final class JsonServer implements AutoCloseable {

    /** For a request to arrive, its head and its body. */
    private static final Duration REQUEST_TIME = Duration.ofSeconds(120);

    /** A reply of which a client takes nothing for so long is given up. */
    private static final Duration LONGEST_STALL = Duration.ofSeconds(60);

    /** A connection in use takes about this much of the heap; more connections than fit half of it are refused. */
    private static final long CONNECTION_BYTES = 40 << 10;

    private static final long CONNECTIONS =
            Math.clamp(Runtime.getRuntime().maxMemory() / 2 / CONNECTION_BYTES, 1000, 20_000);

    /** Connections that wait to be accepted; the system may allow fewer. */
    private static final int BACKLOG = 4096;

    static {
        // Read once by the JDK's server. Without it every small reply waits 40 ms for the client's acknowledgement.
        System.setProperty("sun.net.httpserver.nodelay", "true");
        // A request that is not whole after so long ends with its connection.
        System.setProperty("sun.net.httpserver.maxReqTime", String.valueOf(REQUEST_TIME.toSeconds()));
        System.setProperty("sun.net.httpserver.maxIdleConnections", String.valueOf(CONNECTIONS));
        System.setProperty("jdk.httpserver.maxConnections", String.valueOf(CONNECTIONS));
    }

    /**
     * How a server listens.
     *
     * @param address host and port; port 0 takes a free one
     * @param bodyLimitBytes longest request body
     * @param longestStall how long a client may take nothing of its reply
     * @param bearerToken asked of every call but those of open routes; null asks none
     */
    public record Settings(
            InetSocketAddress address,
            long bodyLimitBytes,
            Duration longestStall,
            @Nullable String bearerToken) {

        public Settings(InetSocketAddress address, long bodyLimitBytes, @Nullable String bearerToken) {
            this(address, bodyLimitBytes, LONGEST_STALL, bearerToken);
        }
    }

    private static final System.Logger LOG = System.getLogger(JsonServer.class.getName());

    private final Settings settings;
    private final Routes routes;
    private final Problem.Wording wording;
    private final BodyBudget bodies;
    private final StallGuard stalls;
    private final HttpServer server;
    /** One party a call in progress, and one of the server's own. */
    private final Phaser calls = new Phaser(1);

    private final ExecutorService threads = Executors.newThreadPerTaskExecutor(
            Thread.ofVirtual().name("http-", 0).factory());

    private JsonServer(Settings settings, Routes routes, Problem.Wording wording) throws IOException {
        this.settings = settings;
        this.routes = routes;
        this.wording = wording;
        this.bodies = new BodyBudget(settings.bodyLimitBytes());
        this.stalls = new StallGuard(settings.longestStall());
        this.server = HttpServer.create(settings.address(), BACKLOG);
    }

    /**
     * Binds and serves.
     *
     * @throws IOException if the address cannot be bound; the message names it
     */
    public static JsonServer start(Settings settings, Routes routes, Problem.Wording wording) throws IOException {
        JsonServer json;
        try {
            json = new JsonServer(settings, routes, wording);
        } catch (IOException e) {
            throw new IOException("cannot listen on " + settings.address() + ": " + e.getMessage(), e);
        }
        json.server.createContext("/", json::serve);
        json.server.setExecutor(json.threads);
        json.server.start();
        return json;
    }

    /** Where the server listens, with the port that was really taken. */
    public InetSocketAddress address() {
        return server.getAddress();
    }

    /** Stops at once; calls in progress lose their connection. */
    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
        stalls.close();
    }

    /** Waits until the calls in progress have their answers, at most so long; those that come meanwhile are served too. */
    public void awaitAnswers(Duration atMost) {
        try {
            calls.awaitAdvanceInterruptibly(calls.arrive(), atMost.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            // The caller closes the server now; who still waits for an answer sees a broken connection.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void serve(HttpExchange exchange) throws IOException {
        calls.register();
        try (exchange) {
            write(exchange, answer(exchange));
        } finally {
            calls.arriveAndDeregister();
        }
    }

    private Answer answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        Routes.Match match = routes.find(exchange.getRequestMethod(), path);
        Routes.Route route = match.route();
        if ((route == null || !route.open()) && !authorised(exchange)) {
            return wording.answer(new Problem.Unauthorised());
        }
        if (route == null) {
            return wording.answer(
                    match.pathKnown()
                            ? new Problem.UnknownMethod(exchange.getRequestMethod(), path)
                            : new Problem.UnknownPath(path));
        }
        try {
            return switch (bodies.read(exchange.getRequestBody(), announcedBytes(exchange))) {
                case BodyBudget.Reading.TooLong longer ->
                    wording.answer(new Problem.BodyTooLarge(settings.bodyLimitBytes()));
                case BodyBudget.Reading.NoRoom none -> wording.answer(new Problem.Busy());
                case BodyBudget.Reading.Whole whole -> {
                    try {
                        yield handled(exchange, route, match, whole.body());
                    } finally {
                        bodies.giveBack(whole);
                    }
                }
            };
        } catch (InterruptedException e) {
            throw new InterruptedIOException("the server stops");
        }
    }

    private static long announcedBytes(HttpExchange exchange) {
        String length = exchange.getRequestHeaders().getFirst("Content-Length");
        if (length != null) {
            // The JDK's server has refused what is no number.
            return Long.parseLong(length.strip());
        }
        return exchange.getRequestHeaders().getFirst("Transfer-Encoding") == null ? 0 : -1;
    }

    private Answer handled(HttpExchange exchange, Routes.Route route, Routes.Match match, byte[] body) {
        String path = exchange.getRequestURI().getPath();
        Map<String, String> query = query(exchange.getRequestURI().getRawQuery());
        try {
            String contentType = exchange.getRequestHeaders().getFirst("Content-Type");
            return route.handler()
                    .handle(new Call(exchange.getRequestMethod(), path, match.variables(), query, contentType, body));
        } catch (BodyException e) {
            return wording.answer(new Problem.BodyNotUnderstood(String.valueOf(e.getMessage())));
        } catch (Exception e) {
            return wording.answer(new Problem.HandlerFailed(e));
        } catch (OutOfMemoryError e) {
            // What this call had taken is free again.
            LOG.log(System.Logger.Level.WARNING, "{0} of {1} bytes found no memory", path, body.length);
            return wording.answer(new Problem.Busy());
        }
    }

    private boolean authorised(HttpExchange exchange) {
        if (settings.bearerToken() == null) {
            return true;
        }
        String given = exchange.getRequestHeaders().getFirst("Authorization");
        byte[] expected = ("Bearer " + settings.bearerToken()).getBytes(StandardCharsets.UTF_8);
        return given != null && MessageDigest.isEqual(expected, given.getBytes(StandardCharsets.UTF_8));
    }

    private void write(HttpExchange exchange, Answer answer) throws IOException {
        switch (answer) {
            case Answer.Empty empty -> exchange.sendResponseHeaders(empty.status(), -1);
            case Answer.Json json ->
                send(exchange, json.status(), "application/json", Json.MAPPER.writeValueAsBytes(json.body()));
            case Answer.Text text ->
                send(exchange, text.status(), text.contentType(), text.body().getBytes(StandardCharsets.UTF_8));
            case Answer.Events events -> {
                exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
                exchange.sendResponseHeaders(200, 0);
                try (OutputStream out = stalls.guard(exchange.getResponseBody())) {
                    events.source().writeTo(out);
                }
            }
        }
    }

    private void send(HttpExchange exchange, int status, String contentType, byte[] body) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", contentType);
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            stalls.guard(exchange.getResponseBody()).write(body);
        }
    }

    private static Map<String, String> query(@Nullable String raw) {
        Map<String, String> query = new HashMap<>();
        if (raw != null) {
            for (String pair : raw.split("&")) {
                int equals = pair.indexOf('=');
                String name = equals < 0 ? pair : pair.substring(0, equals);
                query.put(decode(name), equals < 0 ? "" : decode(pair.substring(equals + 1)));
            }
        }
        return query;
    }

    private static String decode(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
