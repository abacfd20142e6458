package dev.sluice.rollout.hook;

/** A function of one's own gave nothing that can be used; the message says why, for people. */
public final class HookException extends Exception {
    private static final int MAX_REASON = 1000;

    public HookException(String reason) {
        super(reason.length() <= MAX_REASON ? reason : reason.substring(0, MAX_REASON) + "...");
    }
}
