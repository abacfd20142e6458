/** Cuts: points from which a run goes on. */
@NullMarked
package dev.sluice.trainer.cut;

import org.jspecify.annotations.NullMarked;
