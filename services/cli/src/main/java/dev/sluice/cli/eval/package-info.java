/** Measures a checkpoint on prompt files. */
@NullMarked
package dev.sluice.cli.eval;

import org.jspecify.annotations.NullMarked;
