/** Training steps of a run again from its log. */
@NullMarked
package dev.sluice.cli.replay;

import org.jspecify.annotations.NullMarked;
