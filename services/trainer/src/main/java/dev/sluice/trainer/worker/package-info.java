/** The training worker's process and its HTTP API. */
@NullMarked
package dev.sluice.trainer.worker;

import org.jspecify.annotations.NullMarked;
