package dev.sluice.trainer.dispatch;

import java.time.Duration;
import java.time.Instant;

/**
 * Work that an instance has.
 *
 * @param incarnation of the instance when it was given
 * @param version oldest weight version of its engines when it was given
 * @param exact whether one weight version alone may sample it
 * @param samples responses it takes
 * @param sentAt when it was sent
 * @param started whether the instance has said that it began
 * @param deadline when the instance gives up
 */
record Lease(
        Work.Key work,
        int attempt,
        String instanceId,
        String incarnation,
        int version,
        boolean exact,
        int samples,
        Instant sentAt,
        boolean started,
        Instant deadline) {

    Lease sentLater(Duration time) {
        return new Lease(
                work, attempt, instanceId, incarnation, version, exact, samples, sentAt.plus(time), started, deadline);
    }

    Lease begun() {
        return new Lease(work, attempt, instanceId, incarnation, version, exact, samples, sentAt, true, deadline);
    }
}
