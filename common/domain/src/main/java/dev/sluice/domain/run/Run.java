package dev.sluice.domain.run;

import dev.sluice.domain.run.RunPhase.Move;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.TrainerShare;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run as its own events have made it; only {@link #apply} makes another one.
 *
 * @param since when it came into this phase, or began to wait for something else
 * @param accepted absent before it is planned
 * @param service the newest assignment; kept when the run waits for a replacement, absent before the first
 * @param last the newest event; absent before the first
 * @param history the moves so far, oldest first, at most {@value #MAX_HISTORY}
 */
public record Run(
        String runId,
        RunPhase phase,
        Instant since,
        @Nullable Accepted accepted,
        @Nullable Service service,
        @Nullable RunEvent last,
        List<Move> history) {
    static final int MAX_HISTORY = 32;

    public Run {
        history = List.copyOf(history);
    }

    /** The plan that stands for this run. */
    public record Accepted(RunPlanned event, Instant at) {}

    /**
     * The instances that serve this run.
     *
     * @param startedTrainerEpoch the newest trainer epoch under which training began, 0 before
     */
    public record Service(RunAssigned assignment, Instant at, int startedTrainerEpoch) {
        int trainerEpoch() {
            return assignment.trainer().trainerEpoch();
        }
    }

    static Run requested(String runId) {
        return new Run(runId, RunPhase.REQUESTED, Instant.EPOCH, null, null, null, List.of());
    }

    /**
     * The run after an event of its own log.
     *
     * @param at when the event was written
     * @throws IllegalStateException if the event is illegal in this phase
     */
    Run apply(RunEvent event, Instant at) {
        if (event instanceof RunEvent.RunRejected && phase.accepted()) {
            return this; // the answer to another request that claimed this id
        }
        Move move = moveOf(event);
        RunPhase next = phase.next(move).orElseThrow(() -> illegal(event));
        Accepted plan = event instanceof RunPlanned planned ? new Accepted(planned, at) : accepted;
        boolean goesOn = next == phase && !(event instanceof RunQueued queued && isOtherWait(queued));
        return new Run(runId, next, goesOn ? since : at, plan, service(event, at), event, extended(move));
    }

    /** Another place in the queue alone is no other wait. */
    private boolean isOtherWait(RunQueued queued) {
        return !(last instanceof RunQueued before && before.reason().equals(queued.reason()));
    }

    private Move moveOf(RunEvent event) {
        return switch (event) {
            case RunPlanned planned -> Move.PLAN;
            case RunEvent.RunRejected rejected -> Move.REJECT;
            case RunQueued queued -> Move.QUEUE;
            case RunAssigned assigned -> goesOn(assigned.trainer()) ? Move.REPOOL : Move.ASSIGN;
            case RunEvent.RunStarted started -> Move.START;
            case RunEvent.RunStopping stopping -> Move.STOP;
            case RunEvent.RunSucceeded succeeded -> Move.SUCCEED;
            case RunEvent.RunFailed failed -> Move.FAIL;
            case RunEvent.RunCancelled cancelled -> Move.CANCEL;
        };
    }

    private boolean goesOn(TrainerShare trainer) {
        return service != null && service.startedTrainerEpoch() == trainer.trainerEpoch();
    }

    private @Nullable Service service(RunEvent event, Instant at) {
        if (event instanceof RunAssigned assigned) {
            return new Service(assigned, at, service == null ? 0 : service.startedTrainerEpoch());
        }
        if (event instanceof RunEvent.RunStarted && service != null) {
            return new Service(service.assignment(), service.at(), service.trainerEpoch());
        }
        return service;
    }

    private List<Move> extended(Move move) {
        List<Move> moves = new ArrayList<>(history);
        moves.add(move);
        return moves.size() > MAX_HISTORY ? moves.subList(moves.size() - MAX_HISTORY, moves.size()) : moves;
    }

    private IllegalStateException illegal(RunEvent event) {
        return new IllegalStateException("run %s is %s and cannot take %s; it went through %s"
                .formatted(runId, phase, event.getClass().getSimpleName(), history));
    }
}
