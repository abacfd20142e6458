package dev.sluice.events;

import java.time.Instant;

/** One figure at one step, for dashboards. */
@About("One figure at one step, for dashboards")
public record MetricPoint(
        @About("The run") String runId,
        @About("Name, such as rollout/raw_reward") String name,
        @About("The step it belongs to") int step,

        @About("Rank that measured it; 0 for figures of the whole run")
        int rank,

        @About("The value") double value,
        @About("When") Instant at)
        implements Event {}
