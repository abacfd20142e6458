package dev.sluice.rollout.heartbeat;

import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.core.Publisher;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiFunction;

/** Announces the instance and renews the leases of all its tasks by that. Used on the core's thread. */
public final class Heartbeats {
    /** Three missed ones and others take over. */
    public static final Duration PERIOD = Duration.ofSeconds(2);

    private final Core core;
    private final Publisher publisher;
    private final BiFunction<State, java.time.Instant, InstanceSnapshot> snapshots;
    private State state = State.READY;

    public Heartbeats(
            Core core, Publisher publisher, BiFunction<State, java.time.Instant, InstanceSnapshot> snapshots) {
        this.core = core;
        this.publisher = publisher;
        this.snapshots = snapshots;
    }

    /** Announces the instance as ready, and again every two seconds. */
    public void begin() {
        beat();
    }

    private void beat() {
        if (state != State.STOPPED) {
            send();
            core.after(PERIOD, this::beat);
        }
    }

    /** Announces another state at once; ends when the log has it. */
    public CompletableFuture<?> change(State other) {
        state = other;
        return send();
    }

    private CompletableFuture<?> send() {
        return publisher.publish(snapshots.apply(state, core.now()));
    }
}
