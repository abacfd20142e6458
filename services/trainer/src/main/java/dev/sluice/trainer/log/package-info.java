/** The run's logs: read after a start, written by one trainer at a time. */
@NullMarked
package dev.sluice.trainer.log;

import org.jspecify.annotations.NullMarked;
