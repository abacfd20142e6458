/** A teacher on a server: log-probabilities over HTTP. */
@NullMarked
package dev.sluice.trainer.teacher;

import org.jspecify.annotations.NullMarked;
