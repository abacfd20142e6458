/** What responses are worth: rewards computed here, asked over HTTP, or loaded from jars, each with a time limit. */
@NullMarked
package dev.sluice.rollout.reward;

import org.jspecify.annotations.NullMarked;
