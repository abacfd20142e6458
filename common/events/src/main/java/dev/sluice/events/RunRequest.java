package dev.sluice.events;

/** What a client asks of a run. */
public sealed interface RunRequest extends Event {

    @About("A client asks for a training run; the same runId with the same content is the same request")
    record TrainingRequested(
            @About("Chosen by the client, [a-z0-9-]{1,40}; names the run everywhere")
            String runId,

            @About("What to train, on what, and how") TrainingRequest request)
            implements RunRequest {}

    @About("A client lets a run go on that a guard has paused")
    record ContinuationRequested(
            @About("The run") String runId,

            @About("CloudEvents id of the GuardTripped that paused it; another pause is not meant")
            String tripId,

            @About("Why, for people") String reason)
            implements RunRequest {}

    @About("A client asks to end a run; what is trained so far is kept")
    record CancellationRequested(
            @About("The run to end") String runId,
            @About("Why, for people") String reason) implements RunRequest {}
}
