package dev.sluice.trainer.handover;

/** How often in a row weights did not get from the worker's memory into engines', in one epoch. For the training thread alone. */
public final class SendFailures {
    private static final int MANY = 2;

    private int inARow;
    private String newest = "";

    void oneMore(String reason) {
        inARow++;
        newest = reason;
    }

    /** Why it did not the last time. */
    String newest() {
        return newest;
    }

    void forget() {
        if (!areMany()) {
            inARow = 0;
        }
    }

    /** Whether weights go as files for the rest of the epoch. */
    public boolean areMany() {
        return inARow >= MANY;
    }
}
