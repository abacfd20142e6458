/** Rewards that are arithmetic on text: what a response is worth against its label. Pure, no I/O. */
@NullMarked
package dev.sluice.domain.reward;

import org.jspecify.annotations.NullMarked;
