/** Training steps of a run again from its log, without engines. */
@NullMarked
package dev.sluice.trainer.replay;

import org.jspecify.annotations.NullMarked;
