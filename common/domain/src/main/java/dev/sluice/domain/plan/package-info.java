/** From a valid request to a plan: the model's shape and figures, argument lists, memory, reasons. */
@NullMarked
package dev.sluice.domain.plan;

import org.jspecify.annotations.NullMarked;
