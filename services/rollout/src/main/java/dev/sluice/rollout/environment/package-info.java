/** What answers the model's turns: own environments and those asked over HTTP, each within its bounds. */
@NullMarked
package dev.sluice.rollout.environment;

import org.jspecify.annotations.NullMarked;
