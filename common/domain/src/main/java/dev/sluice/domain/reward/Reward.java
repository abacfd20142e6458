package dev.sluice.domain.reward;

import java.util.List;
import java.util.Optional;

/** Scores one response. Implementations are bounded in time, and pure but for {@link Coin}: the same texts give the same score on every host. */
public sealed interface Reward permits BoxedReward, Coin, Dapo, DeepScaler, ExactMatch, F1, Gpqa, MathAnswer, NoReward {

    /** Before a reward's name: it sees only what stands in the response's last {@code \boxed{}}. */
    String BOXED_PREFIX = "boxed_";

    /** Every reward that a request can name, with and without {@value #BOXED_PREFIX}. */
    List<Reward> ALL = List.of(
            new ExactMatch(),
            new MathAnswer(),
            new DeepScaler(),
            new Dapo(),
            new F1(),
            new Gpqa(),
            new Coin(),
            new NoReward());

    /** The name that a request's {@code reward.type} gives. */
    String name();

    /** What a response is worth. */
    RewardValue score(Response response);

    /** The reward of that name, if there is one. */
    static Optional<Reward> named(String name) {
        return name.startsWith(BOXED_PREFIX)
                ? plain(name.substring(BOXED_PREFIX.length())).map(BoxedReward::new)
                : plain(name);
    }

    private static Optional<Reward> plain(String name) {
        return ALL.stream().filter(reward -> reward.name().equals(name)).findFirst();
    }

    /** The names that a request can use, for messages. */
    static List<String> names() {
        return ALL.stream().map(Reward::name).toList();
    }
}
