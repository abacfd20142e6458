package dev.sluice.cpu.engine;

import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.Problem;
import java.lang.System.Logger;
import java.util.LinkedHashMap;
import java.util.Map;

/** SGLang's error bodies; which one a mistake gets depends on the layer of the server that notices it. */
final class Envelopes {
    private static final Logger LOG = System.getLogger(Envelopes.class.getName());

    private Envelopes() {}

    /** A request that /generate refuses. */
    static Answer refused(RequestException e) {
        if (e.status() == 400) {
            return new Answer.Json(400, Map.of("error", Map.of("message", String.valueOf(e.getMessage()))));
        }
        return error(e.status(), String.valueOf(e.status()), String.valueOf(e.getMessage()));
    }

    /** FastAPI's problems, as SGLang words them. */
    static Answer of(Problem problem) {
        return switch (problem) {
            case Problem.Unauthorised unauthorised -> new Answer.Json(401, Map.of("error", "Unauthorized"));
            case Problem.UnknownPath path -> new Answer.Json(404, Map.of("detail", "Not Found"));
            case Problem.UnknownMethod method -> new Answer.Json(405, Map.of("detail", "Method Not Allowed"));
            case Problem.BodyTooLarge large ->
                error(413, "Request Entity Too Large", "the body exceeds " + large.limitBytes() + " bytes");
            case Problem.Busy busy ->
                error(503, "503", "The bodies of the requests being served fill their share of the memory; try again.");
            case Problem.BodyNotUnderstood body -> error(400, "Bad Request", body.reason());
            case Problem.HandlerFailed failed -> failed(failed.cause());
        };
    }

    /** The body of OpenAI-style errors. */
    static Answer error(int status, String type, String message) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("object", "error");
        body.put("message", message);
        body.put("type", type);
        body.put("param", null);
        body.put("code", status);
        return new Answer.Json(status, body);
    }

    private static Answer failed(Exception cause) {
        if (cause instanceof RequestException refused) {
            return refused(refused);
        }
        if (cause instanceof InterruptedException) {
            return error(503, "503", "The engine is shutting down.");
        }
        LOG.log(Logger.Level.ERROR, "a call failed", cause);
        return Answer.text(500, "Internal Server Error");
    }
}
