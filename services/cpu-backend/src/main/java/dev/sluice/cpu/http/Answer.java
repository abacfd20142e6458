package dev.sluice.cpu.http;

import java.io.IOException;
import java.io.OutputStream;
import org.jspecify.annotations.Nullable;

/** What a handler answers. */
public sealed interface Answer {

    /** A status without a body. */
    record Empty(int status) implements Answer {}

    /** A body that is written as JSON; a null body is written as {@code null}. */
    record Json(int status, @Nullable Object body) implements Answer {}

    /** Plain text, or text of another type. */
    record Text(int status, String contentType, String body) implements Answer {}

    /** Server-sent events, written while they arise. */
    record Events(Source source) implements Answer {}

    /** Writes a stream of events; a failing write means that the client has gone. */
    @FunctionalInterface
    interface Source {
        void writeTo(OutputStream out) throws IOException;
    }

    static Answer ok(Object body) {
        return new Json(200, body);
    }

    static Answer text(int status, String body) {
        return new Text(status, "text/plain; charset=utf-8", body);
    }
}
