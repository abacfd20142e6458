package dev.sluice.domain.reward;

/** 1 where response and label are the same text apart from surrounding whitespace, otherwise 0. */
public record ExactMatch() implements Reward {
    @Override
    public String name() {
        return "exact";
    }

    @Override
    public double score(String response, String label) {
        return response.strip().equals(label.strip()) ? 1 : 0;
    }
}
