/** The rollout service: engines, groups of samples, rewards, weight loading. */
@NullMarked
package dev.sluice.rollout;

import org.jspecify.annotations.NullMarked;
