package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupTask.GroupRequested;

/**
 * A sample that a function of one's own generates.
 *
 * @param task which names the function
 * @param index of the sample in its group
 */
public record GenerateAsk(GroupRequested task, int index, RouterSession session) {}
