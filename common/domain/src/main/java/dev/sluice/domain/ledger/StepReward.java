package dev.sluice.domain.ledger;

/**
 * Mean reward of the samples of one step.
 *
 * @param step the step
 * @param reward as {@code rollout/raw_reward} says
 */
public record StepReward(int step, double reward) {}
