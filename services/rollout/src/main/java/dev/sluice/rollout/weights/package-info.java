/** Weight versions: which is the newest, whether its files are what the trainer wrote. */
@NullMarked
package dev.sluice.rollout.weights;

import org.jspecify.annotations.NullMarked;
