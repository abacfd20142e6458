package dev.sluice.checkpoint;

/**
 * Told how far a long copy has come, by one thread at a time but not always the same. May throw to give the copy up, as may an interrupt of the thread that
 * asked for it; a conversion can then be gone on with.
 */
@FunctionalInterface
public interface Progress {
    Progress NONE = (bytesDone, bytesTotal) -> {};

    void at(long bytesDone, long bytesTotal);

    /** Told once, before anything else, when bytes of an earlier attempt are kept: they took no time now. */
    default void resumedAt(long bytesKept, long bytesTotal) {}
}
