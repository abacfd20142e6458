package dev.sluice.rollout.reward;

import dev.sluice.domain.reward.Response;
import dev.sluice.events.TrainingRequest.Reward;
import java.time.Duration;
import java.util.List;

/**
 * Responses to one prompt that want their rewards.
 *
 * @param prompt as a remote reward gets it: text, or a list of messages
 * @param responses at least one
 * @param left until the group must be done
 */
public record RewardAsk(Reward reward, Object prompt, List<Response> responses, Duration left) {
    public RewardAsk {
        responses = List.copyOf(responses);
    }
}
