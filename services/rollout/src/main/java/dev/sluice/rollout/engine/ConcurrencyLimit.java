package dev.sluice.rollout.engine;

/**
 * How many samples an engine gets at once: a little more while its cache has room for them, much less when it is full. A full
 * cache throws samples out and computes them again; an engine that is never full leaves tokens a second on the table.
 *
 * @see <a href="https://doi.org/10.1016/0169-7552(89)90019-6">Chiu and Jain 1989: additive increase, multiplicative decrease
 *     converges to a fair and full use</a>
 */
final class ConcurrencyLimit {
    /** Above it a step or two may not fit any more. */
    static final double FULL = 0.95;
    /** Requests that wait mean pressure only where the cache is this full; otherwise they have just come. */
    static final double BUSY = 0.8;

    private static final double DECREASE = 0.75;
    private static final int STEPS_TO_CAPACITY = 16;

    private final int capacity;
    private int limit;

    /** @param capacity samples that the plan lets it run at once; the limit begins there */
    ConcurrencyLimit(int capacity) {
        this.capacity = capacity;
        this.limit = capacity;
    }

    int get() {
        return limit;
    }

    /**
     * Takes what the engine says of itself.
     *
     * @param running samples on it: a limit that does not bind teaches nothing
     * @return whether the limit has changed
     */
    boolean observe(Pressure pressure, int running) {
        boolean full = pressure.cacheUse() >= FULL || pressure.waiting() > 0 && pressure.cacheUse() >= BUSY;
        int before = limit;
        if (full) {
            limit = Math.max(1, (int) (Math.min(limit, Math.max(1, running)) * DECREASE));
        } else if (running >= limit) {
            limit = Math.min(capacity, limit + Math.max(1, capacity / STEPS_TO_CAPACITY));
        }
        return limit != before;
    }
}
