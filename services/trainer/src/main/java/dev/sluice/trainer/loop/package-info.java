/** The training loop and the life of a run around it. */
@NullMarked
package dev.sluice.trainer.loop;

import org.jspecify.annotations.NullMarked;
