package dev.sluice.http;

import java.time.Duration;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One request to an {@link HttpEndpoint}.
 *
 * @param method GET, POST, PUT or DELETE
 * @param path starts with a slash; may carry a query, already percent-encoded
 * @param body written as JSON; null sends none
 * @param deadline from the call to the last byte of the reply; positive
 */
public record HttpCall(String method, String path, @Nullable Object body, Duration deadline) {

    public HttpCall {
        Objects.requireNonNull(method);
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("the path of an HTTP call starts with a slash, got \"" + path + "\"");
        }
        if (deadline.isNegative() || deadline.isZero()) {
            throw new IllegalArgumentException(
                    "the deadline of " + method + " " + path + " is " + deadline + "; give it a positive duration");
        }
    }

    public static HttpCall get(String path, Duration deadline) {
        return new HttpCall("GET", path, null, deadline);
    }

    public static HttpCall post(String path, Object body, Duration deadline) {
        return new HttpCall("POST", path, body, deadline);
    }
}
