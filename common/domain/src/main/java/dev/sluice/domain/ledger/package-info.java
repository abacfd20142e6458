/** Where every generated token of a run and every second of its GPUs went, as the run's events tell. */
@NullMarked
package dev.sluice.domain.ledger;

import org.jspecify.annotations.NullMarked;
