package dev.sluice.rollout.reward;

import dev.sluice.domain.request.AllowedUrls;
import dev.sluice.domain.reward.Response;
import dev.sluice.domain.reward.RewardValue;
import dev.sluice.http.HttpCallException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Asks a reward service as slime's remote_rm does: POST {@code {prompt, response, label}}, the reply is the reward. A row's metadata is
 * sent along where it has any. A group is sent as {@code {"samples": [...]}} and answered by a list.
 *
 * @see <a href="https://github.com/THUDM/slime/blob/main/slime/rollout/rm_hub/__init__.py">slime's remote_rm</a>
 */
final class RemoteReward {
    private final Webhook service;

    /** @param url checked by {@link AllowedUrls} */
    RemoteReward(String url) {
        this.service = new Webhook(url);
    }

    RewardValue one(Object prompt, Response response, Time time) throws InterruptedException {
        try {
            return ReplyReader.one(service.reply(sample(prompt, response), time));
        } catch (HttpCallException failure) {
            return new RewardValue.Unscored(failure.getMessage());
        }
    }

    List<RewardValue> all(Object prompt, List<Response> responses, Time time) throws InterruptedException {
        List<Map<String, Object>> samples =
                responses.stream().map(response -> sample(prompt, response)).toList();
        try {
            return ReplyReader.all(service.reply(Map.of("samples", samples), time), responses.size());
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
}
