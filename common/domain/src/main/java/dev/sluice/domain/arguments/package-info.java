/** Arguments of the programs that a run starts. */
@NullMarked
package dev.sluice.domain.arguments;

import org.jspecify.annotations.NullMarked;
