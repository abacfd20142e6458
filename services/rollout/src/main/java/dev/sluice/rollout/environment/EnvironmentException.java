package dev.sluice.rollout.environment;

/** An environment gave no answer that the model could go on with; the message says why, for people. */
public final class EnvironmentException extends Exception {
    private static final int MAX_REASON = 1000;

    EnvironmentException(String reason) {
        super(reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON) + "...");
    }
}
