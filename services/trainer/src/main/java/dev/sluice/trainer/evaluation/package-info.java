/** Held-out prompt sets, measured at one weight version. */
@NullMarked
package dev.sluice.trainer.evaluation;

import org.jspecify.annotations.NullMarked;
