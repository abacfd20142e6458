package dev.sluice.rollout.engine;

import java.util.Optional;

/** The engines of one run, seen from one of them. Used on the core's thread. */
interface Siblings {
    /** Whether there is another engine, so that fingerprints of weights can be compared. */
    boolean several();

    /** An engine has this fingerprint of a version's weights. */
    void summed(Engine engine, int version, String sum);

    /** So many drafts of an engine were accepted lately. */
    void drafted(Engine engine, DraftCounts window);

    /** An engine is in another state, or has ended. */
    void moved();

    /** An engine takes work. */
    void ready();

    /** Why engines of this run are started without speculation; empty while they are not. */
    Optional<String> draftsLose();
}
