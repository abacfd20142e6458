package dev.sluice.rollout.sampling;

import dev.sluice.domain.reward.Response;
import dev.sluice.domain.reward.Reward;
import dev.sluice.domain.reward.RewardValue;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.text.Tokenizer;
import java.util.Optional;

/** Scores responses as their task asks. */
final class Scorer {
    private final Tokenizer tokenizer;

    Scorer(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    Score score(GroupRequested task, int[] response) {
        Optional<Reward> reward = Reward.named(task.reward());
        if (reward.isEmpty()) {
            return Score.none("there is no reward '" + task.reward() + "'; known: " + Reward.names());
        }
        if (task.label() == null) {
            return Score.none("the prompt has no label");
        }
        return switch (reward.get()
                .score(Response.of(tokenizer.decode(response, true), task.label()))
                .at(null)) {
            case RewardValue.Single single -> Score.of(single.score());
            case RewardValue.Unscored unscored -> Score.none(unscored.reason());
            case RewardValue.Dictionary dictionary -> throw new IllegalStateException("a key picks one number");
        };
    }
}
