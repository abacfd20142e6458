package dev.sluice.rollout.engine;

import dev.sluice.rollout.core.Core;
import java.time.Duration;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Asks a working engine how full its cache is, and lets it have more or fewer samples. Used on the core's thread. */
final class PressureWatch {
    private static final Logger LOG = LoggerFactory.getLogger(PressureWatch.class);
    private static final Duration PERIOD = Duration.ofSeconds(2);
    private static final Duration CALL_DEADLINE = Duration.ofSeconds(5);

    private final Core core;
    private final Engine engine;
    private final Runnable onMoreRoom;

    /** @param onMoreRoom runs when the engine may take more than before */
    PressureWatch(Core core, Engine engine, Runnable onMoreRoom) {
        this.core = core;
        this.engine = engine;
        this.onMoreRoom = onMoreRoom;
    }

    void begin() {
        core.after(PERIOD, this::look);
    }

    private void look() {
        EngineState state = engine.state();
        if (state instanceof EngineState.Dead || state instanceof EngineState.Draining) {
            return;
        }
        if (engine.running() == 0 || !(state instanceof EngineState.Ready)) {
            begin();
            return;
        }
        int running = engine.running();
        core.background(
                "pressure-" + engine.id(),
                () -> engine.api().pressure(CALL_DEADLINE),
                (answer, failure) -> looked(answer, running));
    }

    /** What cannot be had says nothing; whether the engine lives is judged elsewhere. */
    private void looked(@Nullable Optional<Pressure> answer, int running) {
        if (answer != null && answer.isPresent()) {
            int before = engine.limit();
            if (engine.pressed(answer.get(), running)) {
                LOG.info(
                        "engine takes another number of samples engineId={} from={} to={} cacheUse={}",
                        engine.id(),
                        before,
                        engine.limit(),
                        answer.get().cacheUse());
                if (engine.limit() > before) {
                    onMoreRoom.run();
                }
            }
        }
        begin();
    }
}
