package dev.sluice.domain.run;

import java.time.Duration;

/**
 * How long a run may wait for others before it ends with the reason.
 *
 * @param conversion since the converter's last sign of life, both for the conversion at the start and the export
 * @param enginesReady since the run was assigned, until one engine takes work
 * @param trainerReady since the run was assigned and its model converted
 * @param nodes since there are fewer rollout instances than one engine has nodes
 * @param stopping since a client ended the run, until its last cut is exported
 */
public record Deadlines(
        Duration conversion, Duration enginesReady, Duration trainerReady, Duration nodes, Duration stopping) {
    public static final Deadlines DEFAULT = new Deadlines(
            Duration.ofMinutes(10),
            Duration.ofMinutes(20),
            Duration.ofSeconds(300),
            Duration.ofMinutes(10),
            Duration.ofSeconds(30));
}
