package dev.sluice.rollout.assignment;

/** What an event of the planner changes for this instance. */
public sealed interface AssignmentChange {
    /** Serve this share, exactly so, from now on. */
    record Serve(Share share) implements AssignmentChange {}

    /**
     * Serve the run no more.
     *
     * @param runGoesOn with other instances, which may go on with what was begun here
     */
    record Release(String runId, String reason, boolean runGoesOn) implements AssignmentChange {}

    /** Nothing for this instance. */
    record Unchanged() implements AssignmentChange {}
}
