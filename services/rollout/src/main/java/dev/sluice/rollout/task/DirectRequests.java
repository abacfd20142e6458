package dev.sluice.rollout.task;

import dev.sluice.rollout.engine.Engine;
import dev.sluice.rollout.engine.EnginePool;
import dev.sluice.rollout.engine.EngineState;
import dev.sluice.rollout.engine.SessionHash;
import dev.sluice.rollout.sampling.RouterSession;
import dev.sluice.rollout.weights.WeightVersions;
import java.net.URI;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;

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
         * @param version weights that it begins with
         * @param rank the data-parallel rank that its session keeps to; null where the engine chooses
         * @param newest weights that the engine was told to load last: at its end, the newest that can have sampled the reply
         * @param done to be run once, on the core's thread, when the reply has ended
         */
        record To(
                String engineId,
                URI address,
                int version,
                @Nullable Integer rank,
                IntSupplier newest,
                Runnable done) implements Placement {}

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
     * Places a request on the engine with the newest allowed weights, then on its session's, then on the one with the fewest
     * samples; what does not fit waits there. A session's engine that has no room for it is passed over.
     *
     * A request of a hook's session stays within that session's bound, whatever else it says.
     */
    public Placement place(RoutedRequest request) {
        Open open = request.hook() == null ? null : sessions.get(request.hook());
        if (request.hook() != null && open == null) {
            return new Placement.Over("the sample of this session is done or no longer wanted; end without it");
        }
        VersionBound bound = open == null ? VersionBound.of(request) : open.bound();
        String session = request.session();
        int samples = request.samples();
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
                        .thenComparingLong(engine -> session == null || engine.free() < samples
                                ? Long.MIN_VALUE
                                : SessionHash.of(session, engine.id()))
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
        Placement.To to = to(engine, bound.exact() != null, samples, session);
        if (open != null) {
            open.session().served(to.version(), engine.id());
        }
        return to;
    }

    private Placement.To to(Engine engine, boolean exact, int samples, @Nullable String session) {
        Engine.Seat seat = session == null
                ? new Engine.Seat(engine.dispatchedAnywhere(samples), null)
                : engine.dispatched(samples, engine.homeOf(session));
        int ofOneVersion = exact ? samples : 0;
        engine.ofOneVersion(ofOneVersion);
        boolean goesOn = engine.pauseMode().goesOn() && !exact;
        IntSupplier newest = () -> goesOn ? Math.max(seat.version(), engine.newestVersion()) : seat.version();
        return new Placement.To(engine.id(), engine.address(), seat.version(), seat.rank(), newest, () -> {
            engine.returned(samples, seat.rank());
            engine.ofOneVersion(-ofOneVersion);
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
