package dev.sluice.domain.reward;

/** 0, whatever was said: for runs that learn from a teacher alone. */
public record NoReward() implements Reward {
    /** As requests name it. */
    public static final String NAME = "zero";

    @Override
    public String name() {
        return NAME;
    }

    @Override
    public RewardValue score(Response response) {
        return RewardValue.of(false);
    }
}
