/** Looks at every layout that the machines allow, keeps what breaks no constraint and fits, and ranks it by time. */
@NullMarked
package dev.sluice.domain.search;

import org.jspecify.annotations.NullMarked;
