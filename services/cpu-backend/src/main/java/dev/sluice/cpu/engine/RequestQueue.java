package dev.sluice.cpu.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

/** Requests that do not run yet: waiting ones, and ones held back before the queue. Belongs to the scheduler's thread. */
final class RequestQueue {
    private final Deque<Sequence> held = new ArrayDeque<>();
    private final Deque<Sequence> waiting = new ArrayDeque<>();
    private final LiveRequests live;

    RequestQueue(LiveRequests live) {
        this.live = live;
    }

    /**
     * Takes requests in, all or none.
     *
     * @param hold whether they are held back
     * @throws RequestException if a rid lives already, or is given twice
     */
    void accept(List<GenerationRequest> requests, StopCheck stops, boolean hold) {
        live.claim(requests);
        for (GenerationRequest request : requests) {
            (hold ? held : waiting).add(new Sequence(request, stops));
        }
    }

    /** Takes up to {@code count} waiting requests out, the oldest first. */
    List<Sequence> next(int count) {
        List<Sequence> next = new ArrayList<>();
        while (!waiting.isEmpty() && next.size() < count) {
            next.add(waiting.remove());
        }
        return next;
    }

    /** Puts requests that ran back before all others, in their order. */
    void putBack(List<Sequence> retracted) {
        for (int i = retracted.size() - 1; i >= 0; i--) {
            waiting.addFirst(retracted.get(i));
        }
    }

    /** Takes out the requests whose rid matches. */
    List<Sequence> remove(Predicate<String> rids, boolean heldToo) {
        List<Sequence> removed = remove(waiting, rids);
        if (heldToo) {
            removed.addAll(remove(held, rids));
        }
        return removed;
    }

    void releaseHeld() {
        waiting.addAll(held);
        held.clear();
    }

    /** Notes that a request has its reply: its rid may be used again. */
    void ended(Sequence sequence) {
        live.release(sequence.request().rid());
    }

    int waiting() {
        return waiting.size();
    }

    /** Waiting requests that have run already. */
    int retracted() {
        return Math.toIntExact(waiting.stream().filter(Sequence::hasRun).count());
    }

    int held() {
        return held.size();
    }

    /** Tokens that waiting requests still have to compute. */
    int waitingTokens() {
        return waiting.stream().mapToInt(Sequence::length).sum();
    }

    private static List<Sequence> remove(Deque<Sequence> queue, Predicate<String> rids) {
        List<Sequence> removed = new ArrayList<>();
        for (Iterator<Sequence> all = queue.iterator(); all.hasNext(); ) {
            Sequence sequence = all.next();
            if (rids.test(sequence.request().rid())) {
                removed.add(sequence);
                all.remove();
            }
        }
        return removed;
    }
}
