/** Which instance samples which group, and what came back. */
@NullMarked
package dev.sluice.trainer.dispatch;

import org.jspecify.annotations.NullMarked;
