package dev.sluice.cli.stack;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import dev.sluice.process.PidFile;
import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Asks a service whether it is ready. */
final class Readiness {
    private static final Duration CALL_DEADLINE = Duration.ofSeconds(2);
    private static final long REPLY_LIMIT_BYTES = 64 << 10;

    private Readiness() {}

    /** What the service still lacks, for a person; empty when it is ready. */
    static Optional<String> lacks(SupervisedService service) {
        try {
            Optional<PidFile> state = service.state();
            if (state.isEmpty()) {
                return Optional.of("starting");
            }
            return switch (service.program().ready()) {
                case STATE_FILE -> Optional.empty();
                case HEALTH -> askHealth(state.get().port());
            };
        } catch (IOException e) {
            return Optional.of("its state file cannot be read: " + e.getMessage());
        } catch (RuntimeException e) {
            // Whoever asks does so again; a thread that dies of this would leave the last word standing.
            return Optional.of("cannot be asked: " + e);
        }
    }

    private static Optional<String> askHealth(int port) throws IOException {
        try {
            HttpReply reply = HttpEndpoint.at(URI.create("http://127.0.0.1:" + port))
                    .withReplyLimit(REPLY_LIMIT_BYTES)
                    .call(HttpCall.get("/q/health/ready", CALL_DEADLINE));
            return reply.isSuccess() ? Optional.empty() : Optional.of(explain(reply.tree()));
        } catch (HttpCallException e) {
            return Optional.of("does not answer on port " + port);
        }
    }

    /** The checks that are down, each with the entries that keep it down. */
    static String explain(JsonNode health) {
        List<String> down = new ArrayList<>();
        for (JsonNode check : health.path("checks")) {
            if (!"UP".equals(check.path("status").asText())) {
                List<String> data = new ArrayList<>();
                check.path("data").properties().forEach(entry -> {
                    if (!"caught up".equals(entry.getValue().asText())) {
                        data.add(entry.getKey() + " " + entry.getValue().asText());
                    }
                });
                down.add(check.path("name").asText() + (data.isEmpty() ? "" : ": " + String.join(", ", data)));
            }
        }
        return down.isEmpty() ? "says it is not ready" : String.join("; ", down);
    }
}
