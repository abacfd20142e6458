/** How the samples of an optimizer step become micro-batches, and which data-parallel rank takes which. */
@NullMarked
package dev.sluice.domain.batching;

import org.jspecify.annotations.NullMarked;
