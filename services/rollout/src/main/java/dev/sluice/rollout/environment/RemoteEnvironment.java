package dev.sluice.rollout.environment;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.environment.Turn;
import dev.sluice.domain.environment.TurnAnswer;
import dev.sluice.http.HttpCallException;
import dev.sluice.rollout.reward.Time;
import dev.sluice.rollout.reward.Webhook;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Asks an environment over HTTP: POST {@code {prompt, response, said, turn, label, metadata?}}, answered by {@code {"done": true}} or
 * {@code {"text": "..."}}.
 */
final class RemoteEnvironment {
    private static final int MAX_SHOWN = 80;

    private RemoteEnvironment() {}

    static TurnAnswer answer(String url, EnvironmentAsk ask, Time time)
            throws EnvironmentException, InterruptedException {
        try {
            return read(new Webhook(url).reply(body(ask.prompt(), ask.turn()), time));
        } catch (HttpCallException failure) {
            throw new EnvironmentException(String.valueOf(failure.getMessage()));
        }
    }

    private static Map<String, Object> body(Object prompt, Turn turn) {
        Map<String, Object> body = new LinkedHashMap<>();
        body.put("prompt", prompt);
        body.put("response", turn.response().text());
        body.put("said", turn.said());
        body.put("turn", turn.number());
        body.put("label", turn.response().label());
        if (turn.response().metadata().isObject()) {
            body.put("metadata", turn.response().metadata());
        }
        return body;
    }

    private static TurnAnswer read(JsonNode reply) throws EnvironmentException {
        JsonNode text = reply.path("text");
        boolean done = reply.path("done").isBoolean() && reply.path("done").booleanValue();
        if (done && !text.isTextual()) {
            return new TurnAnswer.Done();
        }
        if (!done && text.isTextual()) {
            return new TurnAnswer.Says(text.textValue());
        }
        String shown = reply.toString();
        throw new EnvironmentException("it answered neither {\"done\": true} nor {\"text\": \"...\"}, but "
                + (shown.length() <= MAX_SHOWN ? shown : shown.substring(0, MAX_SHOWN) + "..."));
    }
}
