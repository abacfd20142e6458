package dev.sluice.cpu.engine;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Frames of a stream on their way to the client. A frame repeats everything before it, so of each sample only the newest is
 * kept: a slow client gets fewer frames and costs no memory.
 */
final class LatestFrames {
    /**
     * A frame to send.
     *
     * @param index the sample's place in the stream's batch
     */
    record Frame(int index, Sample sample) {}

    private final Map<Integer, Frame> unsent = new LinkedHashMap<>();
    private final Lock lock = new ReentrantLock();
    private final Condition filled = lock.newCondition();

    void put(Frame frame) {
        lock.lock();
        try {
            unsent.put(frame.index(), frame);
            filled.signal();
        } finally {
            lock.unlock();
        }
    }

    /** Waits for a frame; of several takes the sample's that waits longest. */
    Frame take() throws InterruptedException {
        lock.lockInterruptibly();
        try {
            while (unsent.isEmpty()) {
                filled.await();
            }
            Iterator<Frame> first = unsent.values().iterator();
            Frame frame = first.next();
            first.remove();
            return frame;
        } finally {
            lock.unlock();
        }
    }
}
