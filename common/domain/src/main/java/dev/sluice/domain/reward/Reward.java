package dev.sluice.domain.reward;

import java.util.List;
import java.util.Optional;

/** Scores one response against its label. Implementations are pure: the same texts give the same score on every host. */
public sealed interface Reward permits ExactMatch {

    /** Every reward that a request can name. */
    List<Reward> ALL = List.of(new ExactMatch());

    /** The name that a request's {@code reward.type} gives. */
    String name();

    /**
     * The score of a response.
     *
     * @param response the text that was generated, without special tokens
     * @param label what the prompt's row says is right
     * @return finite, unitless; more is better
     */
    double score(String response, String label);

    /** The reward of that name, if there is one. */
    static Optional<Reward> named(String name) {
        return ALL.stream().filter(reward -> reward.name().equals(name)).findFirst();
    }

    /** The names that a request can use, for messages. */
    static List<String> names() {
        return ALL.stream().map(Reward::name).toList();
    }
}
