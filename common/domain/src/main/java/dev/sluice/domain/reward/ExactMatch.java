package dev.sluice.domain.reward;

/** 1 where response and label are the same text apart from surrounding whitespace, otherwise 0. */
public record ExactMatch() implements Reward {
    @Override
    public String name() {
        return "exact";
    }

    @Override
    public RewardValue score(Response response) {
        return Labelled.score(
                response, label -> RewardValue.of(response.text().strip().equals(label.strip())));
    }
}
