package dev.sluice.http;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.http.HttpCallException.Reason;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A server reached over HTTP/1.1: JSON out, JSON or text in. Thread-safe; calls block the calling (virtual) thread until their
 * deadline at the latest. All endpoints of a process share one connection pool.
 */
public final class HttpEndpoint {

    private static final long DEFAULT_REPLY_LIMIT_BYTES = 256L << 20;

    /**
     * A server that closed an idle connection answers the next request on it with a reset at once. A break that comes later
     * may mean that the work was begun: repeating that could do it twice.
     */
    private static final Duration IDLE_RESET_WINDOW = Duration.ofMillis(250);

    static {
        // SGLang (uvicorn) closes idle connections after 5 s; let go of ours first. Read once by the JDK, in seconds.
        if (System.getProperty("jdk.httpclient.keepalive.timeout") == null) {
            System.setProperty("jdk.httpclient.keepalive.timeout", "4");
        }
    }

    private static final HttpClient CLIENT = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .executor(Executors.newThreadPerTaskExecutor(
                    Thread.ofVirtual().name("http-client-", 0).factory()))
            .build();

    private final URI baseUri;
    private final Map<String, String> headers;
    private final long replyLimitBytes;

    private HttpEndpoint(URI baseUri, Map<String, String> headers, long replyLimitBytes) {
        this.baseUri = baseUri;
        this.headers = Map.copyOf(headers);
        this.replyLimitBytes = replyLimitBytes;
    }

    /**
     * An endpoint without a token that accepts replies of up to 256 MiB.
     *
     * @throws IllegalArgumentException if the address is not {@code http(s)://host[:port][/prefix]}
     */
    public static HttpEndpoint at(URI baseUri) {
        boolean http = "http".equals(baseUri.getScheme()) || "https".equals(baseUri.getScheme());
        if (!http || baseUri.getHost() == null || baseUri.getRawQuery() != null || baseUri.getRawUserInfo() != null) {
            throw new IllegalArgumentException("\"" + baseUri
                    + "\" is not an address to call; give http(s)://host[:port][/prefix] without a query");
        }
        String text = baseUri.toString();
        URI trimmed = text.endsWith("/") ? URI.create(text.substring(0, text.length() - 1)) : baseUri;
        return new HttpEndpoint(trimmed, Map.of(), DEFAULT_REPLY_LIMIT_BYTES);
    }

    /** The same endpoint sending {@code Authorization: Bearer} with every call; null sends none. */
    public HttpEndpoint withBearerToken(@Nullable String token) {
        return withHeader("Authorization", token == null ? null : "Bearer " + token);
    }

    /** The same endpoint sending a header with every call; null sends none of this name. */
    public HttpEndpoint withHeader(String name, @Nullable String value) {
        Map<String, String> all = new HashMap<>(headers);
        if (value == null) {
            all.remove(name);
        } else {
            all.put(name, value);
        }
        return new HttpEndpoint(baseUri, all, replyLimitBytes);
    }

    /** The same endpoint with another limit on the bytes of one reply. */
    public HttpEndpoint withReplyLimit(long bytes) {
        return new HttpEndpoint(baseUri, headers, bytes);
    }

    public URI baseUri() {
        return baseUri;
    }

    /**
     * Makes the call and returns the complete reply, whatever its status.
     *
     * @throws HttpCallException if no complete reply came by the deadline and within the limit
     */
    public HttpReply call(HttpCall call) {
        return reply(call, head -> new BoundedBody(replyLimitBytes), () -> true);
    }

    /**
     * Makes the call and hands on the events of a 2xx reply while they come; returns when the stream has ended. The reply limit
     * is that of one event.
     *
     * @param events gets the data of each event, one after another; what it throws breaks the call off and is thrown here
     * @throws HttpCallException if the stream did not end by the deadline, or came with another status
     */
    public void events(HttpCall call, Consumer<String> events) {
        AtomicBoolean begun = new AtomicBoolean();
        Consumer<String> noted = data -> {
            begun.set(true);
            events.accept(data);
        };
        requireSuccess(
                call,
                reply(
                        call,
                        head -> head.statusCode() / 100 == 2
                                ? new EventStream(replyLimitBytes, noted)
                                : new BoundedBody(replyLimitBytes),
                        () -> !begun.get()));
    }

    /** @param repeatable whether the call may be made once more after its connection broke at once */
    private HttpReply reply(HttpCall call, BodyHandler<byte[]> body, BooleanSupplier repeatable) {
        URI uri = URI.create(baseUri + call.path());
        HttpRequest request = request(call, uri);
        long start = System.nanoTime();
        try {
            return await(call, request, body, start);
        } catch (ConnectionBroken broken) {
            if (System.nanoTime() - start > IDLE_RESET_WINDOW.toNanos() || !repeatable.getAsBoolean()) {
                throw broken.asCallException();
            }
        }
        try {
            return await(call, request, body, start);
        } catch (ConnectionBroken broken) {
            throw broken.asCallException();
        }
    }

    /**
     * Makes the call and returns a 2xx reply.
     *
     * @throws HttpCallException if no complete reply came, or one with another status
     */
    public HttpReply require(HttpCall call) {
        return requireSuccess(call, call(call));
    }

    /**
     * Makes the call and reads a 2xx reply as JSON.
     *
     * @throws HttpCallException if no complete reply came, or one with another status, or one that does not fit the type
     */
    public <T> T json(HttpCall call, Class<T> type) {
        return read(call, require(call), type);
    }

    /**
     * Checks the reply that a call got.
     *
     * @throws HttpCallException if its status is not 2xx
     */
    public HttpReply requireSuccess(HttpCall call, HttpReply reply) {
        if (!reply.isSuccess()) {
            throw failure(Reason.STATUS, call, "status " + reply.status() + ": " + reply.excerpt(), reply, null);
        }
        return reply;
    }

    /**
     * Reads the reply that a call got, whatever its status.
     *
     * @throws HttpCallException if it is not JSON or does not fit the type
     */
    public <T> T read(HttpCall call, HttpReply reply, Class<T> type) {
        try {
            return reply.json(type);
        } catch (IOException e) {
            String reason = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
            throw failure(
                    Reason.NOT_UNDERSTOOD,
                    call,
                    "the reply is not a " + type.getSimpleName() + " (" + reason + "): " + reply.excerpt(),
                    reply,
                    e);
        }
    }

    /** A 2xx reply that says something else than it should. */
    public HttpCallException notUnderstood(HttpCall call, String what) {
        return failure(Reason.NOT_UNDERSTOOD, call, what, null, null);
    }

    private HttpRequest request(HttpCall call, URI uri) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri);
        headers.forEach(request::header);
        if (call.body() == null) {
            return request.method(call.method(), BodyPublishers.noBody()).build();
        }
        try {
            byte[] body = Json.MAPPER.writeValueAsBytes(call.body());
            return request.header("Content-Type", "application/json")
                    .method(call.method(), BodyPublishers.ofByteArray(body))
                    .build();
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(
                    "the body of " + call.method() + " " + uri + " cannot be written as JSON", e);
        }
    }

    private HttpReply await(HttpCall call, HttpRequest request, BodyHandler<byte[]> body, long start)
            throws ConnectionBroken {
        long left = call.deadline().toNanos() - (System.nanoTime() - start);
        CompletableFuture<HttpResponse<byte[]>> exchange = CLIENT.sendAsync(request, body);
        try {
            HttpResponse<byte[]> response = exchange.get(left, TimeUnit.NANOSECONDS);
            return new HttpReply(response.statusCode(), response.body());
        } catch (TimeoutException e) {
            throw failure(Reason.DEADLINE, call, "no complete reply within " + call.deadline(), null, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw failure(Reason.INTERRUPTED, call, "the caller was interrupted", null, e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            for (Throwable link = cause; link != null; link = link.getCause()) {
                if (link instanceof EventStream.ReaderFailed reader) {
                    throw reader.failure();
                }
                if (link instanceof BoundedBody.TooLarge) {
                    throw failure(Reason.REPLY_TOO_LARGE, call, String.valueOf(link.getMessage()), null, cause);
                }
            }
            HttpCallException failure = failure(Reason.UNREACHABLE, call, reasonOf(cause), null, cause);
            if (cause instanceof ConnectException || !(cause instanceof IOException)) {
                throw failure;
            }
            throw new ConnectionBroken(failure);
        } finally {
            // Ends the exchange and its connection when we leave before the reply is complete; otherwise does nothing.
            exchange.cancel(true);
        }
    }

    private static String reasonOf(@Nullable Throwable cause) {
        if (cause instanceof ConnectException) {
            return "connection refused; is the server running?";
        }
        return cause == null || cause.getMessage() == null
                ? String.valueOf(cause)
                : "connection broke: " + cause.getMessage();
    }

    private HttpCallException failure(
            Reason reason, HttpCall call, String what, @Nullable HttpReply reply, @Nullable Throwable cause) {
        return new HttpCallException(reason, call, URI.create(baseUri + call.path()), what, reply, cause);
    }

    /** An established connection ended before the reply was complete: the only failure that is worth one more try. */
    private static final class ConnectionBroken extends Exception {
        private final transient HttpCallException failure;

        ConnectionBroken(HttpCallException failure) {
            super(failure);
            this.failure = failure;
        }

        HttpCallException asCallException() {
            return failure;
        }
    }
}
