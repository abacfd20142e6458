package dev.sluice.domain.environment;

/**
 * An environment of one's own in Java, such as a tool. A jar that names its implementation in {@code META-INF/services} and stands in
 * the rollout service's {@code sluice.rollout.reward-jars} answers where a request says {@code rollout.turns.hook: own:<name>}. It is
 * called from several threads at once and may be asked for the same turn again: what it answers should depend on the turn alone. A call
 * that does not end in its time is interrupted and its sample fails.
 */
public interface EnvironmentFunction {
    /** Letters, digits, dots, underscores and hyphens; at most 64. */
    String name();

    /**
     * What the environment says to a turn of the model.
     *
     * @throws Exception whatever went wrong; its message becomes the reason why the sample failed
     */
    TurnAnswer answer(Turn turn) throws Exception;
}
