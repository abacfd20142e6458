/** Runs of the real trainer against a real broker, with a worker process and a rollout instance that are small. */
@NullMarked
package dev.sluice.trainer.scenario;

import org.jspecify.annotations.NullMarked;
