/** Bounds on the figures of a run, and when they are passed. */
@NullMarked
package dev.sluice.domain.guard;

import org.jspecify.annotations.NullMarked;
