package dev.sluice.rollout.engine;

import dev.sluice.rollout.core.Core;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Watches one engine: waits for its first answer, then asks for its health as long as it serves without replying. An
 * engine that returns samples is healthy without being asked.
 */
final class EngineHealth {
    /** Failures in a row after which an engine is replaced. */
    static final int FAILURES = 3;

    private static final Duration PERIOD = Duration.ofSeconds(5);
    private static final Duration PERIOD_SUSPECT = Duration.ofSeconds(1);
    private static final Duration FIRST_ANSWER_POLL = Duration.ofMillis(50);
    /** A stock engine that is busy with a long prefill answers only after 20 s. */
    private static final Duration CALL_DEADLINE = Duration.ofSeconds(25);

    private final Core core;
    private final Engine engine;
    private final Consumer<Engine> onHealthy;
    private final BiConsumer<Engine, String> onFailure;
    private final Consumer<String> onBroken;
    private long repliesSeen;

    EngineHealth(
            Core core,
            Engine engine,
            Consumer<Engine> onHealthy,
            BiConsumer<Engine, String> onFailure,
            Consumer<String> onBroken) {
        this.core = core;
        this.engine = engine;
        this.onHealthy = onHealthy;
        this.onFailure = onFailure;
        this.onBroken = onBroken;
    }

    /** Begins to watch; the action runs on the core's thread at the first answer. */
    void begin(Runnable firstAnswer) {
        core.background("await-" + engine.id(), this::awaitFirstAnswer, (answered, failure) -> {
            if (failure != null) {
                onBroken.accept("waiting for its first answer failed: " + failure);
            } else if (Boolean.TRUE.equals(answered)) {
                firstAnswer.run();
                core.after(PERIOD, this::check);
            }
        });
    }

    /** True at the first answer, false where the engine ended or its deadline passed before. */
    private boolean awaitFirstAnswer() throws InterruptedException {
        while (engine.state() instanceof EngineState.Loading) {
            if (engine.api().healthy(CALL_DEADLINE)) {
                return true;
            }
            Thread.sleep(FIRST_ANSWER_POLL);
        }
        return false;
    }

    private void check() {
        EngineState state = engine.state();
        if (state instanceof EngineState.Dead || state instanceof EngineState.Draining) {
            return;
        }
        boolean serves = state instanceof EngineState.Ready || state instanceof EngineState.Suspect;
        if (!serves || engine.replies() > repliesSeen) {
            repliesSeen = engine.replies();
            onHealthy.accept(engine);
            core.after(PERIOD, this::check);
            return;
        }
        Callable<Boolean> ask = () -> engine.api().healthy(CALL_DEADLINE);
        core.background("health-" + engine.id(), ask, this::checked);
    }

    private void checked(@Nullable Boolean healthy, @Nullable Throwable failure) {
        if (Boolean.TRUE.equals(healthy)) {
            onHealthy.accept(engine);
        } else {
            onFailure.accept(engine, "/health failed" + (failure == null ? "" : ": " + failure.getMessage()));
        }
        core.after(engine.state() instanceof EngineState.Suspect ? PERIOD_SUSPECT : PERIOD, this::check);
    }
}
