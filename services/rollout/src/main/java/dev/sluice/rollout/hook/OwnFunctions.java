package dev.sluice.rollout.hook;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.http.HttpCallException;
import dev.sluice.rollout.reward.Lanes;
import dev.sluice.rollout.reward.Time;
import dev.sluice.rollout.reward.Webhook;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Asks functions of one's own. Every call ends in its time, whatever it asks. Thread-safe; blocks meanwhile. */
public final class OwnFunctions {
    /** A long response in JSON: its tokens and their log-probabilities, prompt included. */
    private static final long REPLY_LIMIT_BYTES = 16 << 20;

    private final AllowedUrls urls;
    private final Lanes lanes;
    private final Supplier<String> routerUrl;

    /**
     * @param urlPrefixes what addresses that this instance calls begin with
     * @param callsAtOnce bound of the calls at once to one address
     * @param routerUrl where functions can ask the engines of this instance
     * @throws IllegalArgumentException if a prefix is no address
     */
    public OwnFunctions(List<String> urlPrefixes, int callsAtOnce, Supplier<String> routerUrl) {
        this.urls = new AllowedUrls("sluice.rollout.reward-urls", urlPrefixes);
        this.lanes = new Lanes(callsAtOnce);
        this.routerUrl = routerUrl;
    }

    /** Where a function can ask the engines of this instance. */
    public String routerUrl() {
        return routerUrl.get();
    }

    /**
     * What a function answers.
     *
     * @param own time of one call
     * @param left until the group must be done
     * @throws HookException if it may not be asked, hangs or dies
     */
    public JsonNode ask(String url, Map<String, Object> body, Duration own, Duration left) throws HookException {
        Optional<String> objection = urls.objection(url);
        if (objection.isPresent()) {
            throw new HookException(objection.get());
        }
        Duration limit = own.compareTo(left) < 0 ? own : left;
        if (!limit.isPositive()) {
            throw new HookException("the group's time was over before %s was asked".formatted(url));
        }
        Time time = Time.of(limit);
        try {
            return lanes.call(url, limit, () -> new Webhook(url, REPLY_LIMIT_BYTES).reply(body, time))
                    .orElseThrow(() -> new HookException(
                            "%s had no room for another call within %s".formatted(url, time.seconds())));
        } catch (HookException | HttpCallException failure) {
            throw failure instanceof HookException known
                    ? known
                    : new HookException(String.valueOf(failure.getMessage()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new HookException("the call was cut off: the instance lets go of the run");
        } catch (Exception e) {
            throw new HookException("%s failed: %s".formatted(url, e));
        }
    }
}
