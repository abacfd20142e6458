/** Whether a run's log keeps what the protocols promise. Pure, no I/O. */
@NullMarked
package dev.sluice.domain.audit;

import org.jspecify.annotations.NullMarked;
