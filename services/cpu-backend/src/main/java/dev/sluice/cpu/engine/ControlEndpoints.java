package dev.sluice.cpu.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.cpu.http.Answer;
import dev.sluice.cpu.http.BodyException;
import dev.sluice.cpu.http.Call;
import dev.sluice.sglang.PauseMode;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Pausing, aborting and flushing. */
final class ControlEndpoints {
    private static final double MAX_FLUSH_SECONDS = 3600;

    private final Ranks ranks;
    private final AtomicBoolean flushing = new AtomicBoolean();

    ControlEndpoints(Ranks ranks) {
        this.ranks = ranks;
    }

    Answer pause(Call call) throws Exception {
        String mode = call.object().path("mode").asText("abort");
        ranks.pause(
                switch (mode) {
                    case "abort" -> PauseMode.ABORT;
                    case "retract" -> PauseMode.RETRACT;
                    case "in_place" -> PauseMode.IN_PLACE;
                    default ->
                        throw new BodyException(
                                "mode: Input should be 'abort', 'retract' or 'in_place', got '" + mode + "'");
                });
        return done("Generation paused successfully.");
    }

    Answer resume(Call call) throws Exception {
        call.object();
        ranks.resume();
        return done("Generation continued successfully.");
    }

    /** Aborts by prefix, as SGLang does; an unknown or empty rid is no error. */
    Answer abort(Call call) throws Exception {
        JsonNode body = call.object();
        String prefix = body.path("rid").asText("");
        boolean all = body.path("abort_all").asBoolean(false);
        Predicate<String> rids = rid -> all || (!prefix.isEmpty() && rid.startsWith(prefix));
        ranks.abort(rids);
        return new Answer.Empty(200);
    }

    /** There is no prefix cache to drop: the answer says whether everything computed with the present weights is gone. */
    Answer flush(Call call) throws Exception {
        double seconds = timeout(call.parameter("timeout"));
        if (!flushing.compareAndSet(false, true)) {
            return Answer.text(400, "Another flush_cache is already in progress.\n");
        }
        try {
            if (ranks.awaitIdle(Duration.ofNanos((long) (seconds * 1e9)))) {
                return Answer.text(200, "Cache flushed.\nPlease check backend logs for more details.\n");
            }
            List<Figures> now = ranks.figures();
            return Answer.text(
                    400,
                    "Flush cache failed: %d requests run and %d wait.%n"
                            .formatted(
                                    now.stream().mapToInt(Figures::running).sum(),
                                    now.stream().mapToInt(Figures::waiting).sum()));
        } finally {
            flushing.set(false);
        }
    }

    private static double timeout(@Nullable String given) {
        try {
            double seconds = given == null ? 0 : Double.parseDouble(given);
            if (seconds >= 0 && seconds <= MAX_FLUSH_SECONDS) {
                return seconds;
            }
        } catch (NumberFormatException e) {
            // Refused below.
        }
        throw new BodyException("timeout must be 0 to " + MAX_FLUSH_SECONDS + " seconds, got " + given);
    }

    private static Answer done(String message) {
        return Answer.ok(Map.of("message", message, "status", "ok"));
    }
}
