package dev.sluice.checkpoint;

/** The progress of several threads, told to one listener from one thread at a time. */
final class SharedProgress {
    /** As fine as any bar is drawn. */
    private static final int REPORTS = 1000;

    private final Progress listener;
    private final long bytesTotal;
    private long bytesDone;
    private long bytesReported;

    SharedProgress(Progress listener, long bytesTotal) {
        this.listener = listener;
        this.bytesTotal = bytesTotal;
    }

    synchronized void kept(long bytes) {
        bytesDone += bytes;
        bytesReported = bytesDone;
    }

    /** Nothing that is written from now on was there before. */
    synchronized void begin() {
        if (bytesDone > 0) {
            listener.resumedAt(bytesDone, bytesTotal);
            listener.at(bytesDone, bytesTotal);
        }
    }

    synchronized void wrote(long bytes) {
        bytesDone += bytes;
        if (bytesDone - bytesReported >= bytesTotal / REPORTS || bytesDone == bytesTotal) {
            bytesReported = bytesDone;
            listener.at(bytesDone, bytesTotal);
        }
    }

    synchronized long bytesDone() {
        return bytesDone;
    }

    long bytesTotal() {
        return bytesTotal;
    }
}
