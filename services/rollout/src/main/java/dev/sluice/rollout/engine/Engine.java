package dev.sluice.rollout.engine;

import dev.sluice.events.Rollout.PauseMode;
import dev.sluice.events.TimeSpan;
import java.net.URI;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** One engine from its start to its end. Changed on the core's thread alone; its state may be read from any. */
public final class Engine {
    private static final int HISTORY = 20;

    private final String id;
    private final int node;
    private final Instant launched;
    private final int capacity;
    private final PauseMode pauseMode;
    private final Deque<String> history = new ArrayDeque<>();
    private volatile EngineState state;
    private @Nullable EngineProcess process;
    private volatile @Nullable CountedEngine api;
    private @Nullable ConcurrencyLimit limit;
    private final RankLoads ranks;
    private final GeneratingTime generating;
    private int running;
    private int ofOneVersion;
    private volatile int newestVersion;
    private boolean answered;
    private boolean announced;
    private boolean ended;
    private long replies;
    private int sumVersion;
    private @Nullable String sum;
    private @Nullable Instant firstReady;

    /**
     * An engine, or one process of it.
     *
     * @param node which of the engine's processes this is
     * @param dataParallelRanks that share its work
     * @param pauseMode what new weights do to what it runs
     */
    Engine(String id, int node, int capacity, int dataParallelRanks, PauseMode pauseMode, InstantSource clock) {
        this.pauseMode = pauseMode;
        this.id = id;
        this.node = node;
        this.ranks = new RankLoads(dataParallelRanks);
        this.capacity = capacity;
        this.launched = clock.instant();
        this.generating = new GeneratingTime(clock);
        this.state = new EngineState.Launching(launched);
        history.add(state.toString());
    }

    public String id() {
        return id;
    }

    /** Which of the engine's processes this is; 0 answers requests. */
    int node() {
        return node;
    }

    public EngineState state() {
        return state;
    }

    /** Samples it runs at once. */
    public int capacity() {
        return process == null ? capacity : capacity * process.members().size();
    }

    /** Samples it gets at once: its capacity, or fewer while its cache is full. */
    public int limit() {
        return limit == null ? capacity() : limit.get();
    }

    /** Takes how full its cache is; whether its limit has changed by that. */
    boolean pressed(Pressure pressure, int samplesThen) {
        if (limit == null) {
            limit = new ConcurrencyLimit(capacity());
        }
        return limit.observe(pressure, samplesThen);
    }

    /** Samples it could take now without queueing. */
    public int free() {
        return Math.max(0, limit() - running);
    }

    /** Samples that run on it. */
    public int running() {
        return running;
    }

    /** Whether it has been started. */
    public boolean hasAddress() {
        return process != null;
    }

    /** Where it answers; only after it has started. */
    public URI address() {
        return Objects.requireNonNull(process, "engine " + id + " has no process yet")
                .address();
    }

    /** What to ask it through; only after it has started. */
    public EngineApi api() {
        return Objects.requireNonNull(api, "engine " + id + " has no process yet");
    }

    /**
     * Where samples go on an engine.
     *
     * @param version weights that sample them
     * @param rank the data-parallel rank; null where it has one, or chooses itself
     */
    public record Seat(int version, @Nullable Integer rank) {}

    /**
     * Samples go to it, all to one rank, because they share their prefill.
     *
     * @param home the rank that may have their beginning in its cache; null where none has
     */
    public Seat dispatched(int samples, @Nullable Integer home) {
        boolean steered = process != null && !process.adopted();
        Seat seat = new Seat(dispatchedAnywhere(samples), ranks.choose(steered, home, samples, limit()));
        ranks.add(seat.rank(), samples);
        return seat;
    }

    /** The rank that a session of requests keeps to, as long as it has room. */
    public int homeOf(String session) {
        return (int) Long.remainderUnsigned(SessionHash.of(session, id), ranks.count());
    }

    /**
     * Samples go to it, wherever they like.
     *
     * @return the weight version that samples them
     */
    public int dispatchedAnywhere(int samples) {
        if (!(state instanceof EngineState.Ready ready)) {
            throw new IllegalStateException("work was given to engine " + id + ", which is " + state + "; " + history);
        }
        running += samples;
        noteWork();
        return ready.version();
    }

    /** Samples that only its present version may generate run on it, so many more or fewer. */
    public void ofOneVersion(int more) {
        ofOneVersion += more;
    }

    /** What new weights do to what it runs, as a rule. May be read from any thread. */
    public PauseMode pauseMode() {
        return pauseMode;
    }

    /**
     * What new weights would do to what it runs now: they abort it where some of it may not go on under them, and on an engine
     * that has never worked, which may run what others left on it.
     */
    PauseMode pauseNow() {
        return ofOneVersion > 0 || firstReady == null ? PauseMode.ABORT : pauseMode;
    }

    /** The newest version that it has been told to load; it holds none that is newer. May be read from any thread. */
    public int newestVersion() {
        return newestVersion;
    }

    /**
     * Samples came back from it, whatever became of them.
     *
     * @param rank that had them, as their seat says
     */
    public void returned(int samples, @Nullable Integer rank) {
        running -= samples;
        ranks.add(rank, -samples);
        noteWork();
    }

    /** What runs while weights are loaded stands still. */
    private void noteWork() {
        generating.is(running > 0
                && switch (state) {
                    case EngineState.Ready ready -> true;
                    case EngineState.Suspect suspect -> true;
                    case EngineState.Quiescing quiescing -> true;
                    case EngineState.Draining draining -> true;
                    case EngineState.Launching launching -> false;
                    case EngineState.Loading loading -> false;
                    case EngineState.Following following -> false;
                    case EngineState.Warming warming -> false;
                    case EngineState.Updating updating -> false;
                    case EngineState.HandingOver handingOver -> false;
                    case EngineState.Paused paused -> false;
                    case EngineState.AwaitingWeights awaiting -> true;
                    case EngineState.Dead dead -> false;
                });
    }

    /** When it generated since this was asked last. */
    List<TimeSpan> takeGenerating() {
        return generating.take();
    }

    /** A whole reply came from it: it lives. */
    public void replied() {
        replies++;
    }

    long replies() {
        return replies;
    }

    Instant launched() {
        return launched;
    }

    @Nullable
    Instant firstReady() {
        return firstReady;
    }

    @Nullable
    EngineProcess process() {
        return process;
    }

    void startedAs(EngineProcess started) {
        process = started;
        api = new CountedEngine(started.api());
    }

    /** What speculation brought since its start. */
    DraftCounts drafts() {
        return api == null ? DraftCounts.NONE : api.drafts();
    }

    /** Its fingerprint of a version's weights, where it gave one. */
    Optional<String> sum(int version) {
        return sumVersion == version ? Optional.ofNullable(sum) : Optional.empty();
    }

    void sum(int version, String fingerprint) {
        sumVersion = version;
        sum = fingerprint;
    }

    boolean answered() {
        return answered;
    }

    void answers() {
        answered = true;
    }

    /** Whether it was announced as ready before; from now on it was. */
    boolean announce(Instant now) {
        boolean before = announced;
        announced = true;
        firstReady = before ? firstReady : now;
        return before;
    }

    /** Whether its process has ended. */
    boolean hasEnded() {
        return ended;
    }

    /** Whether its end was dealt with before; from now on it was. */
    boolean end() {
        boolean before = ended;
        ended = true;
        return before;
    }

    void move(EngineState to) {
        if (history.size() == HISTORY) {
            history.removeFirst();
        }
        history.addLast(to.toString());
        if (to instanceof EngineState.Updating updating) {
            newestVersion = updating.to();
        }
        state = to;
        noteWork();
    }
}
