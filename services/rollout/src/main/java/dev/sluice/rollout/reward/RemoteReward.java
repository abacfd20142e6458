package dev.sluice.rollout.reward;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.reward.Response;
import dev.sluice.domain.reward.RewardValue;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import java.net.URI;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Asks a reward service as slime's remote_rm does: POST {@code {prompt, response, label}}, the reply is the reward. A row's metadata is
 * sent along where it has any. A group is sent as {@code {"samples": [...]}} and answered by a list.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/__init__.py">slime's remote_rm</a>
 */
final class RemoteReward {
    /** A service that lies must not fill the heap: the limit holds for each of the calls that run at once. */
    static final long REPLY_LIMIT_BYTES = 1 << 20;

    private static final int MAX_ATTEMPTS = 10;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);
    private static final int TOO_MANY_REQUESTS = 429;
    private static final int REQUEST_TIMEOUT = 408;

    private final HttpEndpoint endpoint;
    private final String path;

    /** @param url checked by {@link AllowedUrls} */
    RemoteReward(String url) {
        URI uri = URI.create(url);
        this.endpoint = HttpEndpoint.at(URI.create(uri.getScheme() + "://" + uri.getRawAuthority()))
                .withReplyLimit(REPLY_LIMIT_BYTES);
        String rawPath = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        this.path = uri.getRawQuery() == null ? rawPath : rawPath + "?" + uri.getRawQuery();
    }

    RewardValue one(Object prompt, Response response, Time time) throws InterruptedException {
        try {
            return ReplyReader.one(reply(sample(prompt, response), time));
        } catch (HttpCallException failure) {
            return new RewardValue.Unscored(failure.getMessage());
        }
    }

    List<RewardValue> all(Object prompt, List<Response> responses, Time time) throws InterruptedException {
        List<Map<String, Object>> samples =
                responses.stream().map(response -> sample(prompt, response)).toList();
        try {
            return ReplyReader.all(reply(Map.of("samples", samples), time), responses.size());
        } catch (HttpCallException failure) {
            return Collections.nCopies(responses.size(), new RewardValue.Unscored(failure.getMessage()));
        }
    }

    private static Map<String, Object> sample(Object prompt, Response response) {
        Map<String, Object> sample = new LinkedHashMap<>();
        sample.put("prompt", prompt);
        sample.put("response", response.text());
        sample.put("label", response.label());
        if (response.metadata().isObject()) {
            sample.put("metadata", response.metadata());
        }
        return sample;
    }

    private JsonNode reply(Map<String, Object> body, Time time) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                Duration left = time.left();
                return endpoint.json(
                        HttpCall.post(path, body, left.isPositive() ? left : Duration.ofMillis(1)), JsonNode.class);
            } catch (HttpCallException failure) {
                Duration pause = pause(attempt);
                if (attempt >= MAX_ATTEMPTS || !passes(failure) || time.left().compareTo(pause) <= 0) {
                    throw failure;
                }
                Thread.sleep(pause);
            }
        }
    }

    /** Whether the same call may succeed a little later. A reply that is wrong would be wrong again. */
    private static boolean passes(HttpCallException failure) {
        return switch (failure.reason()) {
            case UNREACHABLE -> true;
            case STATUS ->
                failure.status() >= 500 || failure.status() == TOO_MANY_REQUESTS || failure.status() == REQUEST_TIMEOUT;
            case DEADLINE, REPLY_TOO_LARGE, NOT_UNDERSTOOD, INTERRUPTED -> false;
        };
    }

    private static Duration pause(int attempt) {
        Duration doubled = FIRST_PAUSE.multipliedBy(1L << (attempt - 1));
        Duration bounded = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
        // Samples of a group fail together; they must not come back together.
        return bounded.plusMillis(ThreadLocalRandom.current().nextLong(bounded.toMillis() / 2));
    }
}
