package dev.sluice.rollout.task;

import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.engine.EngineState;
import dev.sluice.rollout.sampling.RouterSession;
import dev.sluice.rollout.weights.WeightVersions;
import java.net.URI;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * Requests of SGLang clients, placed on the engines of a run beside its groups. An engine that is to be updated waits for
 * them as for groups, and the pause ends those that take too long. Used on the core's thread.
 */
public final class DirectRequests {
    private final EnginePool pool;
    private final WeightVersions weights;
    private final Runnable released;
    private final Map<String, Open> sessions = new HashMap<>();

    /** A session and what may sample its requests. */
    private record Open(RouterSession session, VersionBound bound) {}

    /** @param released runs when an engine has become freer */
    public DirectRequests(EnginePool pool, WeightVersions weights, Runnable released) {
        this.pool = pool;
        this.weights = weights;
        this.released = released;
    }

    /** Opens the engines to whoever generates one sample, within its bound; {@link #close} ends that. */
    RouterSession open(String runId, VersionBound bound) {
        RouterSession session = new RouterSession(runId + RoutedRequest.SESSION_SEPARATOR + UUID.randomUUID());
        sessions.put(session.id(), new Open(session, bound));
        return session;
    }

    void close(RouterSession session) {
        sessions.remove(session.id());
    }

    /** Where a request goes, or why it goes nowhere. */
    public sealed interface Placement {
        /**
         * @param version weights that sample the whole reply
         * @param done to be run once, on the core's thread, when the reply has ended
         */
        record To(String engineId, URI address, int version, Runnable done) implements Placement {}

        /** It belongs to a sample that nobody waits for any more. */
        record Over(String reason) implements Placement {}

        /** No engine takes work now. */
        record Unavailable(String reason) implements Placement {}

        /**
         * Engines take work, but none holds a version that the request allows.
         *
         * @param newest that one of them holds
         */
        record WrongVersion(String reason, int newest) implements Placement {}
    }

    /** An engine for people and routers. */
    public record Worker(String engineId, URI address, boolean healthy, int load, int capacity) {}

    /**
     * Places a request on the engine with the newest allowed weights, then the fewest samples; what does not fit waits there.
     *
     * A request of a session stays within the session's bound, whatever else it says.
     */
    public Placement place(RoutedRequest request) {
        Open open = request.session() == null ? null : sessions.get(request.session());
        if (request.session() != null && open == null) {
            return new Placement.Over("the sample of this session is done or no longer wanted; end without it");
        }
        VersionBound bound = open == null ? VersionBound.of(request) : open.bound();
        List<Engine> ready = pool.engines()
                .filter(engine -> engine.state() instanceof EngineState.Ready)
                .toList();
        if (ready.isEmpty()) {
            return new Placement.Unavailable("no engine takes work now; newest weight version is %d%s"
                    .formatted(
                            weights.newestVersion(),
                            weights.trouble().map(text -> " (" + text + ")").orElse("")));
        }
        Optional<Engine> chosen = ready.stream()
                .filter(engine -> bound.accepts(version(engine)))
                .max(Comparator.comparingInt(DirectRequests::version)
                        .thenComparingInt(engine -> engine.capacity() - engine.running()));
        if (chosen.isEmpty()) {
            int newest = ready.stream().mapToInt(DirectRequests::version).max().orElseThrow();
            return new Placement.WrongVersion(
                    "the request needs %s; engines hold %s"
                            .formatted(
                                    bound,
                                    ready.stream()
                                            .map(DirectRequests::version)
                                            .distinct()
                                            .sorted()
                                            .toList()),
                    newest);
        }
        Engine engine = chosen.get();
        int version = engine.dispatchedAnywhere(request.samples());
        if (open != null) {
            open.session().served(version, engine.id());
        }
        return new Placement.To(engine.id(), engine.address(), version, () -> {
            engine.returned(request.samples(), null);
            released.run();
        });
    }

    private static int version(Engine engine) {
        return ((EngineState.Ready) engine.state()).version();
    }

    /** The engines that have begun to answer, in all states. */
    public List<Worker> workers() {
        return pool.engines()
                .filter(Engine::hasAddress)
                .map(engine -> new Worker(
                        engine.id(),
                        engine.address(),
                        engine.state() instanceof EngineState.Ready,
                        engine.running(),
                        engine.capacity()))
                .toList();
    }
}
