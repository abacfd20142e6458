/** The life of runs: what the planner decides from its own log and from what others report. */
@NullMarked
package dev.sluice.domain.run;

import org.jspecify.annotations.NullMarked;
