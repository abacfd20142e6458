package dev.sluice.planner;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.plan.Verdict;
import dev.sluice.domain.request.Facts.Purpose;
import dev.sluice.domain.request.RequestReader;
import dev.sluice.domain.request.RequestReader.Reading;
import dev.sluice.domain.request.RunId;
import dev.sluice.events.Event;
import dev.sluice.events.Problem;
import dev.sluice.events.RunRequest.CancellationRequested;
import dev.sluice.events.RunRequest.ContinuationRequested;
import dev.sluice.events.RunRequest.TrainingRequested;
import dev.sluice.kafka.RawRecord;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Reads {@code sluice.runs.requests.v1} strictly: whatever a client wrote there is answered, broken records too, as long
 * as a run id can be read.
 */
@ApplicationScoped
class RequestConsumer {
    private static final Logger LOG = LoggerFactory.getLogger(RequestConsumer.class);
    private static final String TRAINING = Event.typeOf(TrainingRequested.class);
    private static final String CANCELLATION = Event.typeOf(CancellationRequested.class);
    private static final String CONTINUATION = Event.typeOf(ContinuationRequested.class);
    private static final int MAX_REASON = 1000;
    private static final int MAX_KEYS_NAMED = 10;

    private final RequestCheck check;
    private final RunKeeper keeper;

    RequestConsumer(RequestCheck check, RunKeeper keeper) {
        this.check = check;
        this.keeper = keeper;
    }

    /** Returns when the answer is acknowledged. */
    void take(RawRecord raw) {
        RequestDocument document = RequestDocument.ofRecord(raw.value());
        String runId = runId(document.root(), raw.key());
        UUID id = id(raw.id());
        if (runId == null) {
            LOG.warn("skipped a request without a usable runId offset={} error={}", raw.offset(), document.error());
            return;
        }
        if (document.error() != null) {
            String message = "the record is no request: " + document.error();
            reject(runId, id, "request.syntax", message, "publish {\"runId\": ..., \"request\": {...}} as JSON");
        } else if (TRAINING.equals(raw.type())) {
            train(runId, document.root(), id);
        } else if (CANCELLATION.equals(raw.type())) {
            keeper.stop(runId, reason(document.root()), id);
        } else if (CONTINUATION.equals(raw.type())) {
            LOG.info("a pause may end, which is its trainer's to see runId={}", runId);
        } else {
            String message = "the header ce_type is %s".formatted(raw.type());
            reject(runId, id, "request.type", message, "set it to %s or %s".formatted(TRAINING, CANCELLATION));
        }
    }

    private void train(String runId, JsonNode root, @Nullable UUID id) {
        List<String> unknown = root.propertyStream()
                .map(Map.Entry::getKey)
                .filter(key -> !key.equals("runId") && !key.equals("request"))
                .limit(MAX_KEYS_NAMED)
                .toList();
        if (!RunId.isValid(root.path("runId").asText(null))) {
            String message = "runId is %s".formatted(root.path("runId"));
            reject(runId, id, "request.run-id", message, "give one that matches " + RunId.PATTERN);
        } else if (!unknown.isEmpty()) {
            String message = "unknown keys %s beside runId and request".formatted(unknown);
            reject(runId, id, "request.unknown-key", message, "remove them");
        } else {
            switch (RequestReader.read(root.path("request"))) {
                case Reading.Refused refused -> keeper.answer(runId, check.check(refused, Purpose.RUN), id);
                case Reading.Complete complete -> {
                    if (!keeper.isAnswered(runId, complete.sha256(), id)) {
                        keeper.answer(runId, check.check(complete, Purpose.RUN), id);
                    }
                }
            }
        }
    }

    private void reject(String runId, @Nullable UUID id, String rule, String message, String mend) {
        keeper.answer(runId, new Verdict.Infeasible(List.of(Problem.error(rule, "", message, mend))), id);
    }

    private static @Nullable String runId(@Nullable JsonNode root, @Nullable String key) {
        String written = root == null ? null : root.path("runId").asText(null);
        return RunId.isValid(written) ? written : RunId.isValid(key) ? key : null;
    }

    private static String reason(JsonNode root) {
        String reason = root.path("reason").asText("");
        return reason.isBlank() ? "a client asked for it" : reason.substring(0, Math.min(MAX_REASON, reason.length()));
    }

    private static @Nullable UUID id(@Nullable String text) {
        try {
            return text == null ? null : UUID.fromString(text);
        } catch (IllegalArgumentException e) {
            return null; // a foreign producer's id: its redelivery may be answered twice
        }
    }
}
