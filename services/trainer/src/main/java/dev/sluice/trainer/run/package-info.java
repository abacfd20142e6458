/** What a run is to its trainer: its request, its epoch, its folders. */
@NullMarked
package dev.sluice.trainer.run;

import org.jspecify.annotations.NullMarked;
