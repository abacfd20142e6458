package dev.sluice.cpu.engine;

import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** Names of all requests of an engine that have no reply yet, on whichever rank. Safe for many threads. */
final class LiveRequests {
    private final Set<String> rids = new HashSet<>();

    /**
     * Takes the names of requests, all or none.
     *
     * @throws RequestException if a name lives already, or is given twice
     */
    synchronized void claim(List<GenerationRequest> requests) {
        Set<String> fresh = new HashSet<>();
        for (GenerationRequest request : requests) {
            if (rids.contains(request.rid()) || !fresh.add(request.rid())) {
                throw new RequestException("Duplicate request ID detected: " + request.rid());
            }
        }
        rids.addAll(fresh);
    }

    /** A request has its reply: its name may be used again. */
    synchronized void release(String rid) {
        rids.remove(rid);
    }
}
