/** From a valid request to a plan: argument lists, memory, reasons. */
@NullMarked
package dev.sluice.domain.plan;

import org.jspecify.annotations.NullMarked;
