package dev.sluice.rollout.assignment;

/** What an event of the planner changes for this instance. */
public sealed interface AssignmentChange {
    /** Serve this share, exactly so, from now on. */
    record Serve(Share share) implements AssignmentChange {}

    /** Serve the run no more. */
    record Release(String runId, String reason) implements AssignmentChange {}

    /** Nothing for this instance. */
    record Unchanged() implements AssignmentChange {}
}
