package dev.sluice.domain.reward;

import java.util.concurrent.ThreadLocalRandom;

/** 0 or 1 with even odds, whatever was said: a baseline that nothing can be learnt from, and so the one reward that is not repeatable. */
public record Coin() implements Reward {
    @Override
    public String name() {
        return "random";
    }

    @Override
    public RewardValue score(Response response) {
        return RewardValue.of(ThreadLocalRandom.current().nextBoolean());
    }
}
