/** Prompt files as a run uses them. */
@NullMarked
package dev.sluice.trainer.prompts;

import org.jspecify.annotations.NullMarked;
