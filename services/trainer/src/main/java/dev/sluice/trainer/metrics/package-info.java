/** Figures of steps and of this service. */
@NullMarked
package dev.sluice.trainer.metrics;

import org.jspecify.annotations.NullMarked;
