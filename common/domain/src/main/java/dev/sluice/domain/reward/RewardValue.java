package dev.sluice.domain.reward;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** What a reward says of a response. Numbers are finite and unitless; more is better. */
public sealed interface RewardValue {
    /** The entry that counts in a dictionary where no key is named. */
    String SCORE = "score";

    /** One number. */
    record Single(double score) implements RewardValue {}

    /** Several numbers by name, of which a key picks one. */
    record Dictionary(SortedMap<String, Double> entries) implements RewardValue {
        public Dictionary(Map<String, Double> entries) {
            this(new TreeMap<>(entries));
        }
    }

    /** No number, and why. */
    record Unscored(String reason) implements RewardValue {}

    static RewardValue of(double score) {
        return Double.isFinite(score) ? new Single(score) : new Unscored("the reward is " + score + ", not a number");
    }

    static RewardValue of(boolean right) {
        return new Single(right ? 1 : 0);
    }

    /** The one number that counts, or why there is none. */
    default RewardValue at(@Nullable String key) {
        return switch (this) {
            case Unscored unscored -> unscored;
            case Single single when key == null -> single;
            case Single single ->
                new Unscored("the reward is the number %s, which has no key %s; leave reward.key out"
                        .formatted(single.score(), key));
            case Dictionary dictionary -> entry(dictionary.entries(), key == null ? SCORE : key);
        };
    }

    private static RewardValue entry(SortedMap<String, Double> entries, String key) {
        Double score = entries.get(key);
        return score == null
                ? new Unscored("the reward has the numbers %s and no %s; set reward.key to one of them"
                        .formatted(String.join(", ", entries.keySet()), key))
                : of(score);
    }
}
