package dev.sluice.planner;

import dev.sluice.domain.run.Run;
import dev.sluice.domain.run.RunPhase;
import dev.sluice.events.Plan;
import dev.sluice.events.Problem;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunKind;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Scheduling;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run as the REST API shows it.
 *
 * @param since when it came into this phase
 * @param reason why it waits, ends or ended; absent while there is nothing to say
 * @param problems why it was rejected
 * @param huggingFace where the trained model lies, once it does
 * @param kind what it does; absent before it is planned
 * @param position among the runs that wait, from 1; absent where it does not
 */
record RunView(
        String runId,
        RunPhase phase,
        Instant since,
        @Nullable String reason,
        List<Problem> problems,
        @Nullable String requestSha256,
        @Nullable TrainingRequest request,
        @Nullable Plan plan,
        @Nullable RunAssigned assignment,
        @Nullable String huggingFace,
        @Nullable RunKind kind,
        @Nullable Integer position) {

    /** A line in a list of runs. */
    record Line(
            String runId,
            RunPhase phase,
            Instant since,
            @Nullable String name,
            @Nullable String reason,
            @Nullable RunKind kind,
            @Nullable Scheduling scheduling,
            @Nullable Integer position) {
        static Line of(Run run) {
            TrainingRequest request =
                    run.accepted() == null ? null : run.accepted().event().request();
            return new Line(
                    run.runId(),
                    run.phase(),
                    run.since(),
                    request == null ? null : request.name(),
                    reasonOf(run),
                    request == null ? null : RunKind.of(request),
                    request == null ? null : request.scheduling(),
                    positionOf(run));
        }
    }

    private static @Nullable Integer positionOf(Run run) {
        return run.phase() == RunPhase.QUEUED && run.last() instanceof RunEvent.RunQueued queued
                ? queued.position()
                : null;
    }

    static RunView of(Run run) {
        var planned = run.accepted() == null ? null : run.accepted().event();
        return new RunView(
                run.runId(),
                run.phase(),
                run.since(),
                reasonOf(run),
                run.last() instanceof RunEvent.RunRejected rejected ? rejected.problems() : List.of(),
                planned == null ? null : planned.requestSha256(),
                planned == null ? null : planned.request(),
                planned == null ? null : planned.plan(),
                run.service() == null ? null : run.service().assignment(),
                run.last() instanceof RunEvent.RunSucceeded succeeded ? succeeded.huggingFace() : null,
                planned == null ? null : RunKind.of(planned.request()),
                positionOf(run));
    }

    private static @Nullable String reasonOf(Run run) {
        return switch (run.last()) {
            case RunEvent.RunQueued queued -> queued.reason();
            case RunEvent.RunAssigned assigned -> assigned.reason();
            case RunEvent.RunStopping stopping -> stopping.reason();
            case RunEvent.RunFailed failed -> failed.reason();
            case RunEvent.RunCancelled cancelled -> cancelled.reason();
            case RunEvent.RunPlanned planned -> null;
            case RunEvent.RunRejected rejected -> rejected.problems().size() + " problems";
            case RunEvent.RunStarted started -> null;
            case RunEvent.RunSucceeded succeeded -> null;
            case null -> null;
        };
    }
}
