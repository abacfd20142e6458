package dev.sluice.rollout.sampling;

import dev.sluice.http.HttpCallException;

/** Why a call brought no samples at all, by what can be done about it. */
public sealed interface SamplingFailure {
    String reason();

    /** Nobody answered: the engine may be gone; another one can do it. */
    record Unreachable(String reason) implements SamplingFailure {}

    /** The engine answered with nonsense or an error of its own: worth one more try. */
    record Faulty(String reason) implements SamplingFailure {}

    /** The request itself is wrong, or its time is over: no other try can help. */
    record Hopeless(String reason) implements SamplingFailure {}

    static SamplingFailure of(Throwable failure) {
        if (!(failure instanceof HttpCallException call)) {
            return new Hopeless(String.valueOf(failure.getMessage()));
        }
        String reason = call.getMessage();
        return switch (call.reason()) {
            case UNREACHABLE -> new Unreachable(reason);
            case STATUS -> call.status() < 500 ? new Hopeless(reason) : new Faulty(reason);
            case REPLY_TOO_LARGE, NOT_UNDERSTOOD, INTERRUPTED -> new Faulty(reason);
            case DEADLINE -> new Hopeless(reason);
        };
    }
}
