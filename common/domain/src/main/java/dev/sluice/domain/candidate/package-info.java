/** A complete way to run a model on machines: what constraints judge, memory and cost are computed for, and search ranks. */
@NullMarked
package dev.sluice.domain.candidate;

import org.jspecify.annotations.NullMarked;
