package dev.sluice.domain.reward;

import java.util.List;

/**
 * A reward of one's own in Java. A jar that names its implementation in {@code META-INF/services} and stands in the rollout
 * service's {@code sluice.rollout.reward-jars} is asked by {@code reward.type: own:<name>}. It is called from several threads at once,
 * one group a call; a call that does not end in its time is interrupted and its group is unscored.
 */
public interface RewardFunction {
    /** Letters, digits, dots, underscores and hyphens; at most 64. */
    String name();

    /**
     * What the responses to one prompt are worth.
     *
     * @param responses one, or with {@code group: true} all of the group in their order
     * @return as many values, in the same order
     * @throws Exception whatever went wrong; its message becomes the reason why the samples are unscored
     */
    List<RewardValue> score(List<Response> responses) throws Exception;
}
