package dev.sluice.rollout.engine;

import java.time.Duration;

/** Asks an engine for the fingerprint of its weights, where there are others to compare it with. Used on the core's thread. */
record Fingerprint(EnginePool.Surroundings around, Siblings siblings, Engine engine) {
    /** @param then runs when it was compared, or at once where there is no other engine */
    void compare(int version, Runnable then) {
        if (!siblings.several()) {
            then.run();
            return;
        }
        Duration deadline = around.deadlines().warm();
        around.core().background("checksum-" + engine.id(), () -> engine.api().checksum(deadline), (sum, failure) -> {
            // An engine that cannot say is not off; one that loaded again meanwhile said it of other weights.
            if (sum != null && sum.isPresent() && engine.state().holds(version)) {
                siblings.summed(engine, version, sum.get());
            }
            then.run();
        });
    }
}
