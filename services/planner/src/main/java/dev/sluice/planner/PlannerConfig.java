package dev.sluice.planner;

import dev.sluice.domain.run.Deadlines;
import dev.sluice.domain.run.QueueRules;
import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;

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

    /** A run that waits gains one priority for each such span. */
    @WithDefault("1h")
    Duration ageing();

    /** What the runs of an owner may hold at once, by {@code scheduling.owner}; {@code default} counts for every other owner. */
    Map<String, Quota> quotas();

    /** Absent: as much as there is. */
    interface Quota {
        OptionalInt runs();

        OptionalInt engines();

        OptionalInt gpus();
    }

    /** How long the results of a run that has ended stay in their log. */
    @WithDefault("7d")
    Duration logKeep();

    /** How many records of a partition must be useless before they are deleted. */
    @WithDefault("10000")
    long logTrimRecords();

    /** How often the log of results is looked at. */
    @WithDefault("1m")
    Duration logTrimInterval();

    default QueueRules queue() {
        Map<String, QueueRules.Quota> limits = new HashMap<>();
        quotas().forEach((owner, quota) ->
                limits.put(owner, new QueueRules.Quota(quota.runs(), quota.engines(), quota.gpus())));
        return new QueueRules(ageing(), limits);
    }

    default Deadlines deadlines() {
        return new Deadlines(
                conversionDeadline(),
                enginesReadyDeadline(),
                trainerReadyDeadline(),
                nodesDeadline(),
                stoppingDeadline());
    }
}
