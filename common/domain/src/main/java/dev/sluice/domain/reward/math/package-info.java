/** Whether two mathematical answers say the same, as slime's rewards see it. Pure, bounded in time and memory. */
@NullMarked
package dev.sluice.domain.reward.math;

import org.jspecify.annotations.NullMarked;
