/** One group's samples: the prompt's tokens, the call to an engine, the checks of its replies, the rewards. */
@NullMarked
package dev.sluice.rollout.sampling;

import org.jspecify.annotations.NullMarked;
