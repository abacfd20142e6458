package dev.sluice.rollout.engine;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** Figures of all engines of this instance for Prometheus. */
public final class EngineFigures {
    private static final List<String> STATES = List.of(
            "Launching",
            "Loading",
            "Following",
            "Warming",
            "Ready",
            "Quiescing",
            "Updating",
            "HandingOver",
            "Paused",
            "AwaitingWeights",
            "Suspect",
            "Draining",
            "Dead");

    private final MeterRegistry registry;
    private final Timer updates;
    private final Map<String, String> states = new ConcurrentHashMap<>();
    private final Map<String, Integer> versions = new ConcurrentHashMap<>();
    private final Map<String, Meter.Id> versionGauges = new ConcurrentHashMap<>();

    public EngineFigures(MeterRegistry registry) {
        this.registry = registry;
        this.updates = Timer.builder("sluice_rollout_weight_update")
                .description("Time an engine took no work because of a weight update")
                .register(registry);
        for (String state : STATES) {
            Gauge.builder("sluice_rollout_engines", () -> count(state))
                    .description("Engines by state")
                    .tag("state", state.toLowerCase(java.util.Locale.ROOT))
                    .register(registry);
        }
    }

    private long count(String state) {
        return states.values().stream().filter(state::equals).count();
    }

    void state(String engineId, EngineState state) {
        states.put(engineId, state.name());
        if (state instanceof EngineState.Ready ready) {
            versions.put(engineId, ready.version());
            versionGauges.computeIfAbsent(engineId, this::versionGauge);
        }
    }

    private Meter.Id versionGauge(String engineId) {
        return Gauge.builder("sluice_rollout_weight_version", () -> versions.getOrDefault(engineId, 0))
                .description("Weight version that an engine holds")
                .tag("engine", engineId)
                .register(registry)
                .getId();
    }

    void weightsLoaded(Duration withoutWork) {
        updates.record(withoutWork);
    }

    /**
     * An engine is replaced or changed for a reason of its own.
     *
     * @param why unhealthy, quarantined, fallback or unanswered
     */
    void trouble(String why) {
        registry.counter("sluice_rollout_engine_troubles", "why", why).increment();
    }

    void gone(String engineId) {
        states.remove(engineId);
        versions.remove(engineId);
        Meter.@Nullable Id gauge = versionGauges.remove(engineId);
        if (gauge != null) {
            registry.remove(gauge);
        }
    }
}
