/** The rules of training: which prompt comes when, which groups make a batch, what a cut says and how a run goes on after a crash. */
@NullMarked
package dev.sluice.domain.training;

import org.jspecify.annotations.NullMarked;
