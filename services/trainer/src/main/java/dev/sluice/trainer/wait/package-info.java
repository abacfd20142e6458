/** Waits of a run: what is awaited, how long, and what follows. */
@NullMarked
package dev.sluice.trainer.wait;

import org.jspecify.annotations.NullMarked;
