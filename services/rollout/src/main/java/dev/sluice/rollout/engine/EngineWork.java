package dev.sluice.rollout.engine;

/** The work that engines do, seen from the engines; called on the core's thread. */
public interface EngineWork {
    /** Whether work that only this version may do runs or waits, and this engine is the one to keep it for that. */
    boolean pins(Engine engine, int version);

    /** An engine takes work, or takes more of it, or holds another version. */
    void enginesChanged();

    /** An engine lives but does not answer what runs on it: that is aborted and may be done again anywhere. */
    void unanswered(Engine engine);

    /** An engine is gone with everything that ran on it. */
    void lost(Engine engine);
}
