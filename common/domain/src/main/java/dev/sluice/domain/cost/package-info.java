/**
 * Predicted seconds of a step. Good for ranking layouts, not for promises: absolute times are stated with 30 % either
 * way, and layouts within 10 % of each other are ties.
 */
@NullMarked
package dev.sluice.domain.cost;

import org.jspecify.annotations.NullMarked;
