package dev.sluice.planner;

import dev.sluice.domain.run.Deadlines;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;

/** Configuration of the planner. */
@ConfigMapping(prefix = "sluice.planner")
interface PlannerConfig {
    /** How long the converter may stay silent before a run fails. */
    @WithDefault("10m")
    Duration conversionDeadline();

    /** How long an assigned run may be without a ready engine. */
    @WithDefault("20m")
    Duration enginesReadyDeadline();

    /** How long an assigned trainer may take to be ready, from the conversion on. */
    @WithDefault("300s")
    Duration trainerReadyDeadline();

    /** How long a run may wait for more rollout instances than there are to make up one engine of several nodes. */
    @WithDefault("10m")
    Duration nodesDeadline();

    /** How long a run that a client ended may take to save and export. */
    @WithDefault("30s")
    Duration stoppingDeadline();

    /** How long the results of a run that has ended stay in their log. */
    @WithDefault("7d")
    Duration logKeep();

    /** How many records of a partition must be useless before they are deleted. */
    @WithDefault("10000")
    long logTrimRecords();

    /** How often the log of results is looked at. */
    @WithDefault("1m")
    Duration logTrimInterval();

    default Deadlines deadlines() {
        return new Deadlines(
                conversionDeadline(),
                enginesReadyDeadline(),
                trainerReadyDeadline(),
                nodesDeadline(),
                stoppingDeadline());
    }
}
