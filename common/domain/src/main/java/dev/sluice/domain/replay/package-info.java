/** What a replay of a run is asked for and what it says. */
@NullMarked
package dev.sluice.domain.replay;

import org.jspecify.annotations.NullMarked;
