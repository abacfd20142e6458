package dev.sluice.domain.reward;

import dev.sluice.domain.reward.math.Boxed;

/** Another reward of what stands in the response's last {@code \boxed{}}; without one, of an empty response. */
record BoxedReward(Reward of) implements Reward {
    @Override
    public String name() {
        return BOXED_PREFIX + of.name();
    }

    @Override
    public RewardValue score(Response response) {
        return of.score(response.withText(Boxed.last(response.text()).orElse("")));
    }
}
