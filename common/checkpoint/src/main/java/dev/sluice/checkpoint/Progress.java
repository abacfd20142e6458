package dev.sluice.checkpoint;

/** Told how far a long copy has come, after every tensor; may throw to give the copy up, which leaves nothing behind. */
@FunctionalInterface
public interface Progress {
    Progress NONE = (bytesDone, bytesTotal) -> {};

    void at(long bytesDone, long bytesTotal);
}
