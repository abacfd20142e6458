/** Publications of weights and their files. */
@NullMarked
package dev.sluice.trainer.weights;

import org.jspecify.annotations.NullMarked;
