/** Which runs this instance trains, as the planner says. */
@NullMarked
package dev.sluice.trainer.assignment;

import org.jspecify.annotations.NullMarked;
