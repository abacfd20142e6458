/** Functions of one's own with slime's signatures, asked over HTTP, each within its bounds. */
@NullMarked
package dev.sluice.rollout.hook;

import org.jspecify.annotations.NullMarked;
