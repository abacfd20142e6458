/** What this instance is to do for which run, as the planner's log says. Pure. */
@NullMarked
package dev.sluice.rollout.assignment;

import org.jspecify.annotations.NullMarked;
