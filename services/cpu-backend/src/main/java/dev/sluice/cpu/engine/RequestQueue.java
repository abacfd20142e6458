package dev.sluice.cpu.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** Requests that do not run yet: waiting ones, and ones held back before the queue. Belongs to the scheduler's thread. */
final class RequestQueue {
    private final Deque<Sequence> held = new ArrayDeque<>();
    private final Deque<Sequence> waiting = new ArrayDeque<>();
    /** Of all requests that have no reply yet, running ones included. */
    private final Set<String> liveRids = new HashSet<>();

    /**
     * Takes requests in, all or none.
     *
     * @param hold whether they are held back
     * @throws RequestException if a rid lives already, or is given twice
     */
    void accept(List<GenerationRequest> requests, StopCheck stops, boolean hold) {
        Set<String> fresh = new HashSet<>();
        for (GenerationRequest request : requests) {
            if (liveRids.contains(request.rid()) || !fresh.add(request.rid())) {
                throw new RequestException("Duplicate request ID detected: " + request.rid());
            }
        }
        liveRids.addAll(fresh);
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
        liveRids.remove(sequence.request().rid());
    }

    int waiting() {
        return waiting.size();
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
