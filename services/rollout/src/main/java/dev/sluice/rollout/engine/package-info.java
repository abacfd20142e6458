/** Engines: child processes that sample, from their start to their end and replacement. */
@NullMarked
package dev.sluice.rollout.engine;

import org.jspecify.annotations.NullMarked;
