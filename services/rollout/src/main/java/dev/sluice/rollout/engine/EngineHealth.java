package dev.sluice.rollout.engine;

import dev.sluice.rollout.core.Core;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Watches one engine: waits for its first answer, then judges it as long as it serves. A busy engine is judged by its tokens
 * alone, because {@code /health} lies both ways: 503 during a long prefill, 200 while the scheduler is dead. One whose tokens
 * stand still gets a canary, and so does an idle one from time to time.
 */
final class EngineHealth {
    /** What became of an engine; called on the core's thread. */
    interface Observer {
        /** It lives. */
        void healthy();

        /** A check failed. */
        void failed(String reason);

        /** There is no hope left. */
        void broken(String reason);

        /** It lives, but what runs on it does not come back. */
        void stalled(Duration since);
    }

    /** Failures in a row after which an engine is replaced. */
    static final int FAILURES = 3;

    private static final Duration PERIOD = Duration.ofSeconds(5);
    private static final Duration PERIOD_SUSPECT = Duration.ofSeconds(1);
    private static final Duration FIRST_ANSWER_POLL = Duration.ofMillis(50);
    /** A stock engine that is busy with a long prefill answers only after 20 s. */
    private static final Duration CALL_DEADLINE = Duration.ofSeconds(25);

    private final Core core;
    private final Engine engine;
    private final EngineDeadlines.Watch watch;
    private final Observer observer;
    private long repliesSeen;
    private int canaries;
    private Instant lastCanary;
    private Instant movedAt;
    private @Nullable Progress lastProgress;

    EngineHealth(Core core, Engine engine, EngineDeadlines.Watch watch, Observer observer) {
        this.core = core;
        this.engine = engine;
        this.watch = watch;
        this.observer = observer;
        this.lastCanary = core.now();
        this.movedAt = core.now();
    }

    /** Waits for the first answer; the action runs on the core's thread then. */
    void awaitFirstAnswer(Runnable firstAnswer) {
        core.background("await-" + engine.id(), this::answered, (answered, failure) -> {
            if (failure != null) {
                observer.broken("waiting for its first answer failed: " + failure);
            } else if (Boolean.TRUE.equals(answered)) {
                firstAnswer.run();
            }
        });
    }

    /** True at the first answer, false where the engine ended or its deadline passed before. */
    private boolean answered() throws InterruptedException {
        while (engine.state() instanceof EngineState.Loading) {
            if (engine.api().healthy(CALL_DEADLINE)) {
                return true;
            }
            Thread.sleep(FIRST_ANSWER_POLL);
        }
        return false;
    }

    /** Its first generation has succeeded: from now on it is judged. */
    void watch() {
        lastCanary = core.now();
        core.after(PERIOD, this::check);
    }

    private void check() {
        EngineState state = engine.state();
        if (state instanceof EngineState.Dead || state instanceof EngineState.Draining) {
            return;
        }
        if (state.served().isEmpty() || engine.replies() > repliesSeen) {
            repliesSeen = engine.replies();
            lives();
        } else if (engine.running() > 0) {
            core.background("progress-" + engine.id(), this::progress, this::looked);
        } else {
            movedAt = core.now(); // what it gets from now on has the whole deadline
            boolean due = !lastCanary.plus(watch.canaryPeriod()).isAfter(core.now());
            probe(due || state instanceof EngineState.Suspect);
        }
    }

    private Optional<Progress> progress() {
        return engine.api().progress(atMost(watch.progress()));
    }

    private static Duration atMost(Duration patience) {
        return patience.compareTo(CALL_DEADLINE) < 0 ? patience : CALL_DEADLINE;
    }

    private void looked(@Nullable Optional<Progress> answer, @Nullable Throwable failure) {
        if (answer != null && answer.isEmpty()) {
            probe(engine.state() instanceof EngineState.Suspect);
            return;
        }
        Progress now = answer == null ? null : answer.get();
        Duration still = Duration.between(movedAt, core.now());
        if (now != null && !now.equals(lastProgress)) {
            lastProgress = now;
            lives();
        } else if (still.compareTo(watch.progress()) >= 0
                && engine.state().served().isPresent()) {
            String stands = "no token moved for %ds with %d samples on it%s"
                    .formatted(still.toSeconds(), engine.running(), failure == null ? "" : ": " + failure.getMessage());
            observer.failed(stands);
            arbitrate(stands, still);
        } else {
            again();
        }
    }

    /** Nothing moves: either the engine is dead, or it has lost what runs on it. */
    private void arbitrate(String stands, Duration still) {
        int version = engine.state().served().orElse(-1);
        Canary canary = nextCanary(version);
        core.background(
                "canary-" + engine.id(), () -> canary.trouble(engine.api(), watch.canary()), (trouble, failure) -> {
                    String reason = reason(trouble, failure);
                    if (isStillAt(version) && reason != null) {
                        observer.broken(stands + ", and " + reason);
                    } else if (isStillAt(version)) {
                        observer.stalled(still);
                        observer.healthy();
                        movedAt = core.now();
                    }
                    again();
                });
    }

    private void probe(boolean withCanary) {
        int version = engine.state().served().orElse(-1);
        Canary canary = withCanary ? nextCanary(version) : null;
        core.background("health-" + engine.id(), () -> trouble(canary), (trouble, failure) -> {
            String reason = reason(trouble, failure);
            if (reason == null) {
                lives();
                return;
            }
            if (isStillAt(version)) {
                observer.failed(reason);
            }
            again();
        });
    }

    private Optional<String> trouble(@Nullable Canary canary) {
        if (!engine.api().healthy(atMost(watch.canary()))) {
            return Optional.of("/health failed");
        }
        return canary == null ? Optional.empty() : canary.trouble(engine.api(), watch.canary());
    }

    private Canary nextCanary(int version) {
        lastCanary = core.now();
        canaries++;
        return new Canary("canary/" + engine.id() + "/" + canaries, version);
    }

    /** An update that came meanwhile aborts a canary, which says nothing about the engine. */
    private boolean isStillAt(int version) {
        return engine.state().served().equals(OptionalInt.of(version));
    }

    private static @Nullable String reason(@Nullable Optional<String> trouble, @Nullable Throwable failure) {
        return trouble == null ? "a check failed: " + failure : trouble.orElse(null);
    }

    private void lives() {
        movedAt = core.now();
        observer.healthy();
        again();
    }

    private void again() {
        core.after(engine.state() instanceof EngineState.Suspect ? PERIOD_SUSPECT : PERIOD, this::check);
    }
}
