package dev.sluice.rollout.reward;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.http.HttpCall;
import dev.sluice.http.HttpCallException;
import dev.sluice.http.HttpEndpoint;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;

/** A service that takes JSON and answers JSON, and may hang, lie or die. */
public final class Webhook {
    /** A service that lies must not fill the heap: the limit holds for each of the calls that run at once. */
    static final long REPLY_LIMIT_BYTES = 1 << 20;

    private static final int MAX_ATTEMPTS = 10;
    private static final Duration FIRST_PAUSE = Duration.ofMillis(200);
    private static final Duration LONGEST_PAUSE = Duration.ofSeconds(30);

    private final HttpEndpoint endpoint;
    private final String path;

    /** @param url checked by {@link AllowedUrls} */
    public Webhook(String url) {
        this(url, REPLY_LIMIT_BYTES);
    }

    /** @param replyLimitBytes of one reply */
    public Webhook(String url, long replyLimitBytes) {
        URI uri = URI.create(url);
        this.endpoint = HttpEndpoint.at(URI.create(uri.getScheme() + "://" + uri.getRawAuthority()))
                .withReplyLimit(replyLimitBytes);
        String rawPath = uri.getRawPath() == null || uri.getRawPath().isEmpty() ? "/" : uri.getRawPath();
        this.path = uri.getRawQuery() == null ? rawPath : rawPath + "?" + uri.getRawQuery();
    }

    /**
     * What it answers to the body, tried again within the time where that may help.
     *
     * @throws HttpCallException if it answers nothing that can be used
     */
    public JsonNode reply(Map<String, Object> body, Time time) throws InterruptedException {
        for (int attempt = 1; ; attempt++) {
            try {
                Duration left = time.left();
                return endpoint.json(
                        HttpCall.post(path, body, left.isPositive() ? left : Duration.ofMillis(1)), JsonNode.class);
            } catch (HttpCallException failure) {
                Duration pause = pause(attempt);
                if (attempt >= MAX_ATTEMPTS || !failure.mayPass() || time.left().compareTo(pause) <= 0) {
                    throw failure;
                }
                Thread.sleep(pause);
            }
        }
    }

    private static Duration pause(int attempt) {
        Duration doubled = FIRST_PAUSE.multipliedBy(1L << (attempt - 1));
        Duration bounded = doubled.compareTo(LONGEST_PAUSE) < 0 ? doubled : LONGEST_PAUSE;
        // Samples of a group fail together; they must not come back together.
        return bounded.plusMillis(ThreadLocalRandom.current().nextLong(bounded.toMillis() / 2));
    }
}
