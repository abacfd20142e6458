package dev.sluice.rollout.engine;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.process.ChildExit;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One engine from its process to its end: starts, warms, serves, is judged, and dies. Used on the core's thread.
 */
final class EngineLife implements EngineHealth.Observer {
    /** Told once, when the engine has ended, in whatever way. */
    interface Ending {
        /** @param failure why it never became an engine, where its output says so */
        void ended(Engine engine, Optional<StartFailure> failure);
    }

    private static final Duration GLANCE = Duration.ofMillis(50);

    private final EnginePool.Surroundings around;
    private final Siblings siblings;
    private final Engine engine;
    private final EngineStart start;
    private final Ending ending;
    private final EngineHealth health;
    private final Fingerprint fingerprint;
    private final EngineWeights weights;
    private final OtherNodes otherNodes;
    private DraftCounts draftsJudged = DraftCounts.NONE;

    EngineLife(EnginePool.Surroundings around, Siblings siblings, Engine engine, EngineStart start, Ending ending) {
        this.around = around;
        this.siblings = siblings;
        this.engine = engine;
        this.start = start;
        this.ending = ending;
        this.health = new EngineHealth(around.core(), engine, around.deadlines().watch(), this);
        this.fingerprint = new Fingerprint(around, siblings, engine);
        this.weights = new EngineWeights(around, this, start.source(), fingerprint);
        this.otherNodes = new OtherNodes(start);
        watchDeadline();
    }

    Engine engine() {
        return engine;
    }

    /** The start has succeeded or failed. */
    void launched(@Nullable EngineProcess process, @Nullable Throwable failure) {
        if (process == null) {
            die("it could not be started: " + (failure == null ? "no process" : failure.getMessage()));
            return;
        }
        engine.startedAs(process);
        process.exited().whenComplete((exit, ignored) -> {
            List<String> lines = process.lastLines(StartFailure.LINES);
            around.core().execute(() -> ended(exit, lines));
        });
        if (!(engine.state() instanceof EngineState.Launching)) {
            kill(Duration.ZERO); // it was told to end while it was being started
            return;
        }
        move(engine.state().started(around.core().now()));
        around.reports().started(engine, process, start.meeting(process));
        health.awaitFirstAnswer(this::answered);
    }

    private void answered() {
        if (start.follows() && engine.state() instanceof EngineState.Loading loading) {
            // It answers every health check with 200 and nothing else: rank 0's instance judges the engine.
            move(loading.follow(around.core().now()));
        } else if (engine.state() instanceof EngineState.Loading) {
            engine.answers();
            reconcile();
        }
    }

    /** Brings the engine towards the newest weights and phase, as far as it may go now. */
    void reconcile() {
        weights.reconcile();
    }

    /** Where a worker reaches it. */
    Stream<EnginePlace> places() {
        boolean lacks = engine.state() instanceof EngineState.AwaitingWeights;
        return Objects.requireNonNull(engine.process()).members().stream()
                .map(member -> new EnginePlace(
                        engine.id(),
                        member.address().toString(),
                        member.gpus().orElse(EngineArguments.gpus(start.args())),
                        lacks));
    }

    /** It generates for the first time. */
    void warm(int version) {
        EngineState.Warming warming = engine.state().warm(version, around.core().now());
        move(warming);
        Duration deadline = around.deadlines().warm();
        Canary canary = new Canary("canary/" + engine.id() + "/0", version);
        around.core()
                .background(
                        "warm-" + engine.id(),
                        () -> canary.trouble(engine.api(), deadline),
                        (trouble, failure) -> warmed(warming, trouble, failure));
    }

    private void warmed(EngineState.Warming warming, @Nullable Optional<String> trouble, @Nullable Throwable failure) {
        if (engine.state() != warming) {
            return;
        }
        if (trouble == null || trouble.isPresent()) {
            unhealthy("its first generation failed: " + (trouble == null ? failure : trouble.get()));
            return;
        }
        // Before it takes work: it is the newcomer that is most likely to be off.
        fingerprint.compare(warming.version(), () -> {
            if (engine.state() == warming) {
                becomeReady(warming.version());
            }
        });
    }

    /** It takes work. */
    void becomeReady(int version) {
        boolean first = engine.firstReady() == null;
        draftsJudged = engine.drafts();
        move(engine.state().ready(version, around.core().now()));
        if (!engine.announce(around.core().now())) {
            announce(version);
        }
        if (first) {
            health.watch();
            new PressureWatch(around.core(), engine, around.work()::enginesChanged).begin();
            around.reports().keepReportingWork(around.core(), engine);
        }
        if (around.phases().standStill()) {
            reconcile(); // before it is given work
        }
        around.work().enginesChanged();
        siblings.ready();
        reconcile(); // a newer version may have come meanwhile
    }

    private void announce(int version) {
        around.reports()
                .ready(
                        engine,
                        version,
                        Duration.between(engine.launched(), around.core().now()));
    }

    /** Announces an engine again under the epoch of a newer assignment. */
    void announceAgain() {
        if (engine.state() instanceof EngineState.Ready ready) {
            announce(ready.version());
        }
    }

    /** Version 0 was published: the engine holds it since its start. */
    void acknowledgeSource() {
        if (engine.state() instanceof EngineState.Ready ready && ready.version() == 0) {
            around.reports().weightsLoaded(engine, 0, Duration.ZERO, List.of("source directory"));
        }
    }

    @Override
    public void healthy() {
        if (engine.state() instanceof EngineState.Suspect suspect) {
            move(suspect.ready(suspect.version(), around.core().now()));
            around.work().enginesChanged();
            reconcile();
        }
        DraftCounts window = engine.drafts().minus(draftsJudged);
        if (window.verifications() >= DraftJudge.WINDOW) {
            draftsJudged = engine.drafts();
            siblings.drafted(engine, window);
        }
    }

    @Override
    public void failed(String reason) {
        suspected(reason);
    }

    @Override
    public void broken(String reason) {
        unhealthy(reason);
    }

    @Override
    public void stalled(Duration since) {
        around.reports().unanswered(engine, since);
        around.work().unanswered(engine);
    }

    /** A check or a call failed; an engine that is not serving is judged by its deadline alone. */
    void suspected(String reason) {
        switch (engine.state()) {
            case EngineState.Ready ready ->
                move(ready.suspect(reason, around.core().now()));
            case EngineState.Suspect suspect
            when suspect.failures() + 1 >= EngineHealth.FAILURES ->
                unhealthy(reason + ", " + EngineHealth.FAILURES + " times in a row");
            case EngineState.Suspect suspect ->
                move(suspect.suspect(reason, around.core().now()));
            case EngineState.Launching launching -> {}
            case EngineState.Loading loading -> {}
            case EngineState.Following following -> {}
            case EngineState.Warming warming -> {}
            case EngineState.Quiescing quiescing -> {}
            case EngineState.Updating updating -> {}
            case EngineState.HandingOver handingOver -> {}
            case EngineState.Paused paused -> {}
            case EngineState.AwaitingWeights awaiting -> {}
            case EngineState.Draining draining -> {}
            case EngineState.Dead dead -> {}
        }
    }

    /** It is not trusted any more: it ends at once. */
    void unhealthy(String reason) {
        if (!isEnding()) {
            around.reports().unhealthy(engine, reason);
            die(reason);
        }
    }

    /** Like {@link #unhealthy}, for what it holds or accepts. */
    void quarantine(int version, String reason, Map<String, String> figures) {
        if (!isEnding()) {
            around.reports().quarantined(engine, version, reason, figures);
            die(reason);
        }
    }

    OtherNodes otherNodes() {
        return otherNodes;
    }

    /** Its engine is over: it ends at once, through no fault of its own. */
    void end(String reason) {
        if (!isEnding()) {
            die(reason);
        }
    }

    private boolean isEnding() {
        return engine.state() instanceof EngineState.Dead || engine.state() instanceof EngineState.Draining;
    }

    private void die(String reason) {
        move(engine.state().die(reason, around.core().now()));
        around.work().lost(engine);
        if (engine.process() == null) {
            ended(null, List.of());
        } else {
            kill(Duration.ZERO);
        }
    }

    /** Ends it in order: it takes no more work, and what runs may finish for a short time. */
    void drain(String reason) {
        move(engine.state().drain(reason, around.core().now()));
        endWhenIdle(around.core().now().plus(around.deadlines().quiesce()));
    }

    private void endWhenIdle(Instant latest) {
        if (!(engine.state() instanceof EngineState.Draining)) {
            return;
        }
        if (engine.running() > 0 && around.core().now().isBefore(latest)) {
            around.core().after(GLANCE, () -> endWhenIdle(latest));
            return;
        }
        around.work().lost(engine);
        kill(around.deadlines().stop());
    }

    private void kill(Duration grace) {
        EngineProcess process = engine.process();
        if (process != null) {
            around.core()
                    .background(
                            "stop-" + engine.id(),
                            () -> process.stop(grace),
                            (exit, failure) -> ended(exit, List.of()));
        }
    }

    private void ended(@Nullable ChildExit exit, List<String> lines) {
        if (engine.end()) {
            return;
        }
        boolean byItself = !isEnding();
        Optional<StartFailure> failure =
                byItself && engine.firstReady() == null ? StartFailure.of(lines) : otherNodes.failure();
        String reason = switch (engine.state()) {
            case EngineState.Dead dead -> dead.reason();
            case EngineState.Draining draining -> draining.reason();
            default -> failure.map(StartFailure::reason).orElse("the process ended by itself");
        };
        if (!(engine.state() instanceof EngineState.Dead)) {
            move(engine.state().die(reason, around.core().now()));
            around.work().lost(engine);
        }
        around.reports().stopped(engine, reason, exit);
        ending.ended(engine, failure);
        siblings.moved();
    }

    void move(EngineState to) {
        EngineState from = engine.state();
        engine.move(to);
        around.reports().moved(engine, from);
        watchDeadline();
        siblings.moved();
    }

    private void watchDeadline() {
        EngineState state = engine.state();
        state.deadline(around.deadlines())
                .ifPresent(deadline -> around.core().after(deadline, () -> {
                    if (engine.state() == state) {
                        overdue(state, deadline);
                    }
                }));
    }

    private void overdue(EngineState state, Duration deadline) {
        if (state instanceof EngineState.Quiescing quiescing) {
            weights.drained(quiescing); // what still runs is aborted by the pause and sampled again
        } else if (!(state instanceof EngineState.Draining)) {
            String trouble = around.weights().trouble().map(text -> "; " + text).orElse("");
            unhealthy(
                    "it was %s for more than %s%s%s".formatted(state.name(), deadline, otherNodes.missing(), trouble));
        }
    }
}
