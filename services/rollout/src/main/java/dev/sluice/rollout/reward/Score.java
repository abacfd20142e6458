package dev.sluice.rollout.reward;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.domain.reward.RewardValue;
import org.jspecify.annotations.Nullable;

/** A reward, or the reason why there is none. */
public record Score(@Nullable Double reward, @Nullable String unscored) {
    static Score of(double reward) {
        return new Score(reward, null);
    }

    /** The reward that somebody elsewhere has computed: a number, or a dictionary of which a key picks one. */
    public static Score ofReply(JsonNode reply, @Nullable String key) {
        return switch (ReplyReader.one(reply).at(key)) {
            case RewardValue.Single single -> of(single.score());
            case RewardValue.Unscored unscored -> none(unscored.reason());
            case RewardValue.Dictionary dictionary -> throw new IllegalStateException("a key picks one number");
        };
    }

    /** No reward, because of that. */
    public static Score none(String reason) {
        return new Score(null, reason);
    }
}
