/** What the commands about checkpoints do: look into them, compare them, convert them. */
@NullMarked
package dev.sluice.cli.checkpoint;

import org.jspecify.annotations.NullMarked;
