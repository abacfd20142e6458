package dev.sluice.trainer.run;

import dev.sluice.events.RunEvent.RolloutShare;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/** What others decide about a run while it is trained; each comes at most once, a continuation once a pause. */
public final class RunSignals {
    private final CompletableFuture<String> converted = new CompletableFuture<>();
    private final CompletableFuture<Void> started = new CompletableFuture<>();
    private final CompletableFuture<String> stopping = new CompletableFuture<>();
    private final Map<String, CompletableFuture<String>> continued = new ConcurrentHashMap<>();
    private final CompletableFuture<Void> ended = new CompletableFuture<>();
    private volatile List<RolloutShare> rollout = List.of();

    /** The model lies in torch_dist form in the directory that this holds. */
    public CompletableFuture<String> converted() {
        return converted;
    }

    /** Engines are ready: training may begin. */
    public CompletableFuture<Void> started() {
        return started;
    }

    /** The run ends early, for the reason that this holds. */
    public CompletableFuture<String> stopping() {
        return stopping;
    }

    /** Somebody lets the run go on after the pause that this event began, for the reason that this holds. */
    public CompletableFuture<String> continued(String tripId) {
        return continued.computeIfAbsent(tripId, id -> new CompletableFuture<>());
    }

    /** The instances whose engines serve the run, as its newest assignment says. */
    public List<RolloutShare> rollout() {
        return rollout;
    }

    /** Others serve it from now on. */
    public void servedBy(List<RolloutShare> shares) {
        rollout = List.copyOf(shares);
    }

    /** The run has a terminal event. */
    public CompletableFuture<Void> ended() {
        return ended;
    }
}
