package dev.sluice.cpu.engine;

import java.util.ArrayList;
import java.util.List;

/** Notes what each rank has to do. Safe for many threads. */
final class Balancer {
    private final DataParallel.Balance balance;
    private final int[] requests;
    private final long[] tokens;
    private int next;

    Balancer(int ranks, DataParallel.Balance balance) {
        this.balance = balance;
        this.requests = new int[ranks];
        this.tokens = new long[ranks];
    }

    /** Requests by the rank that gets them; their receivers say when they leave it. */
    synchronized List<List<GenerationRequest>> place(List<GenerationRequest> all) {
        List<List<GenerationRequest>> placed = new ArrayList<>();
        for (int rank = 0; rank < requests.length; rank++) {
            placed.add(new ArrayList<>());
        }
        int[] prompt = null;
        int rank = 0;
        for (GenerationRequest request : all) {
            if (request.prompt() != prompt) {
                prompt = request.prompt();
                rank = choose(request);
            }
            requests[rank]++;
            tokens[rank] += request.mostTokens();
            int chosen = rank;
            placed.get(rank).add(request.to(sample -> {
                if (sample.finish() != null) {
                    left(chosen, List.of(request));
                }
                request.receiver().accept(sample);
            }));
        }
        return placed;
    }

    synchronized void left(int rank, List<GenerationRequest> leaving) {
        requests[rank] -= leaving.size();
        leaving.forEach(request -> tokens[rank] -= request.mostTokens());
    }

    private int choose(GenerationRequest request) {
        if (request.rank() != null) {
            return Math.min(request.rank(), requests.length - 1);
        }
        int from = next;
        next = (next + 1) % requests.length;
        if (balance == DataParallel.Balance.ROUND_ROBIN) {
            return from;
        }
        int best = from;
        for (int i = 1; i < requests.length; i++) {
            int rank = (from + i) % requests.length;
            boolean less = balance == DataParallel.Balance.TOTAL_REQUESTS
                    ? requests[rank] < requests[best]
                    : tokens[rank] < tokens[best];
            best = less ? rank : best;
        }
        return best;
    }
}
