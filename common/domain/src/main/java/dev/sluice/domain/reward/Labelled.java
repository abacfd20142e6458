package dev.sluice.domain.reward;

import java.util.function.Function;

/** Rewards that compare with the row's label. */
final class Labelled {
    private Labelled() {}

    static RewardValue score(Response response, Function<String, RewardValue> withLabel) {
        String label = response.label();
        return label == null ? new RewardValue.Unscored("the prompt has no label") : withLabel.apply(label);
    }
}
