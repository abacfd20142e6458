package dev.sluice.domain.run;

import java.util.Map;
import java.util.Optional;

/** Where a run is in its life. {@link #next} is the whole table of legal moves. */
public enum RunPhase {
    /** Asked for, not answered yet. */
    REQUESTED,
    /** Refused; the same id may be asked for again with a mended request. */
    REJECTED,
    /** Planned, without instances. */
    PLANNED,
    /** Waits for instances; it may have had some before. */
    QUEUED,
    /** Has instances; its trainer has not begun. */
    ASSIGNED,
    /** Trains. */
    RUNNING,
    /** A client has ended it; what is trained is being saved. */
    STOPPING,
    SUCCEEDED,
    FAILED,
    CANCELLED;

    /** What happens to a run. */
    public enum Move {
        PLAN,
        REJECT,
        QUEUE,
        /** Instances, with a trainer that has yet to begin. */
        ASSIGN,
        /** Other rollout instances under a trainer that goes on. */
        REPOOL,
        START,
        STOP,
        SUCCEED,
        FAIL,
        CANCEL
    }

    private static final Map<RunPhase, Map<Move, RunPhase>> NEXT = Map.of(
            REQUESTED,
            Map.of(Move.PLAN, PLANNED, Move.REJECT, REJECTED),
            REJECTED,
            Map.of(Move.PLAN, PLANNED, Move.REJECT, REJECTED),
            PLANNED,
            Map.of(Move.QUEUE, QUEUED, Move.ASSIGN, ASSIGNED, Move.STOP, STOPPING, Move.FAIL, FAILED),
            QUEUED,
            Map.of(
                    Move.QUEUE,
                    QUEUED,
                    Move.ASSIGN,
                    ASSIGNED,
                    Move.REPOOL,
                    RUNNING,
                    Move.STOP,
                    STOPPING,
                    Move.SUCCEED,
                    SUCCEEDED,
                    Move.FAIL,
                    FAILED),
            ASSIGNED,
            Map.of(
                    Move.QUEUE,
                    QUEUED,
                    Move.ASSIGN,
                    ASSIGNED,
                    Move.START,
                    RUNNING,
                    Move.STOP,
                    STOPPING,
                    Move.SUCCEED,
                    SUCCEEDED,
                    Move.FAIL,
                    FAILED),
            RUNNING,
            Map.of(
                    Move.QUEUE,
                    QUEUED,
                    Move.ASSIGN,
                    ASSIGNED,
                    Move.REPOOL,
                    RUNNING,
                    Move.STOP,
                    STOPPING,
                    Move.SUCCEED,
                    SUCCEEDED,
                    Move.FAIL,
                    FAILED),
            STOPPING,
            Map.of(Move.CANCEL, CANCELLED),
            SUCCEEDED,
            Map.of(),
            FAILED,
            Map.of(),
            CANCELLED,
            Map.of());

    /** The phase after a move; empty where the move is illegal. */
    public Optional<RunPhase> next(Move move) {
        return Optional.ofNullable(NEXT.get(this).get(move));
    }

    /** Nothing follows: the run's instances are free. */
    public boolean ended() {
        return this == SUCCEEDED || this == FAILED || this == CANCELLED;
    }

    /** A plan stands for the id, so another request for it is refused. */
    public boolean accepted() {
        return this != REQUESTED && this != REJECTED;
    }
}
