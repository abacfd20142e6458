/** Answers training requests with plans or rejections, and owns the life of runs. */
@NullMarked
package dev.sluice.planner;

import org.jspecify.annotations.NullMarked;
