package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.cost.StepTime;
import org.jspecify.annotations.Nullable;

/**
 * A whole way to run: layouts of both sides with what they need and how long a step takes.
 *
 * @param engine absent where nothing is sampled
 */
public record Way(
        Candidate candidate,
        SizedTraining training,
        @Nullable SizedEngine engine,
        StepTime time) {}
