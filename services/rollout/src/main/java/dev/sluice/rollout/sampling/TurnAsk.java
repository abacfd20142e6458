package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupTask.GroupRequested;

/**
 * A sample whose model has ended a turn.
 *
 * @param task which names an environment
 * @param whole everything after the prompt so far
 * @param engineId where the turn was generated
 */
public record TurnAsk(GroupRequested task, int index, PartialSample whole, String engineId) {}
