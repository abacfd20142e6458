package dev.sluice.cli.run;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.CommandFailure;
import dev.sluice.events.EventJson;
import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import dev.sluice.http.HttpReply;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Asks the planner over HTTP how a request would run; nothing is published. */
public final class PlannerClient {
    private static final Duration DEADLINE = Duration.ofSeconds(30);
    private static final int UNPROCESSABLE = 422;

    private final HttpEndpoint planner;

    public PlannerClient(URI address) {
        this.planner = HttpEndpoint.at(address);
    }

    /**
     * What the planner says.
     *
     * @param problems what is wrong where it cannot run, what is odd where it can
     * @param plan how it would run; null where it cannot
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Answer(
            boolean feasible,
            List<Problem> problems,
            @Nullable Plan plan) {}

    /** @throws CommandFailure if the planner gives no such answer */
    public Answer plan(ObjectNode request) {
        try {
            HttpReply reply = planner.call(HttpCall.post("/v1/runs?dryRun=true", request, DEADLINE));
            if (!reply.isSuccess() && reply.status() != UNPROCESSABLE) {
                throw CommandFailure.failed(
                        "the planner answered with status " + reply.status() + ": " + reply.excerpt());
            }
            return EventJson.mapper().readValue(new String(reply.body(), StandardCharsets.UTF_8), Answer.class);
        } catch (HttpCallException | JsonProcessingException e) {
            throw CommandFailure.failed("the planner gave no answer: " + e.getMessage());
        }
    }
}
