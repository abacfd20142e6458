package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.http.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/** Server-sent events as SGLang frames them. */
final class Events {
    private Events() {}

    /** One frame with this value as JSON. */
    static void write(OutputStream out, Object value) throws IOException {
        frame(out, Json.MAPPER.writeValueAsString(value));
    }

    /** The last frame. */
    static void done(OutputStream out) throws IOException {
        frame(out, "[DONE]");
    }

    /** A stream that is refused: the status is 200, the frame says why. */
    static Answer refused(RequestException e) {
        return new Answer.Events(out -> {
            Map<String, Object> error = Map.of(
                    "message",
                    String.valueOf(e.getMessage()),
                    "type",
                    "invalid_request_error",
                    "code",
                    e.status(),
                    "retryable",
                    e.status() == 503);
            write(out, Map.of("error", error));
            done(out);
        });
    }

    private static void frame(OutputStream out, String data) throws IOException {
        out.write(("data: " + data + "\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
    }
}
