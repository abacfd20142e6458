/** The one thread on which this instance decides, and the ways its decisions leave it. */
@NullMarked
package dev.sluice.rollout.core;

import org.jspecify.annotations.NullMarked;
