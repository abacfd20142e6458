/** Trains a run: asks for groups, forms batches, drives the training worker, publishes weights and saves cuts. */
@NullMarked
package dev.sluice.trainer;

import org.jspecify.annotations.NullMarked;
