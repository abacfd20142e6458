package dev.sluice.trainer.handover;

import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.trainer.dispatch.GroupFlow;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Gives weights to engines that have started since the newest version was sent, while the training thread waits for others. */
final class Joiners {
    private final Means means;
    private final Phases phases;
    private final Sending sending;

    Joiners(Means means, Phases phases, Sending sending) {
        this.means = means;
        this.phases = phases;
        this.sending = sending;
    }

    /** Has all engines stand still, and gives them the newest version. */
    @FunctionalInterface
    interface Sending {
        void send() throws InterruptedException;
    }

    boolean await(BooleanSupplier condition, Duration time) throws InterruptedException {
        GroupFlow flow = means.flow();
        long end = System.nanoTime() + time.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
            if (!flow.await(() -> condition.getAsBoolean() || isLacking(), left)) {
                return false;
            }
            if (flow.await(condition, Duration.ZERO)) {
                return true;
            }
            sending.send();
        }
    }

    /** The worker holds the newest version: versions without files are published after every step. */
    private boolean isLacking() {
        return means.isNewestWithoutFiles()
                && phases.newest()
                        .filter(last -> last.phase() != Phase.GENERATE)
                        .isEmpty()
                && phases.isLacking();
    }
}
