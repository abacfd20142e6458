/** Who has the GPUs when, and how weights get from the worker into engines. */
@NullMarked
package dev.sluice.trainer.handover;

import org.jspecify.annotations.NullMarked;
