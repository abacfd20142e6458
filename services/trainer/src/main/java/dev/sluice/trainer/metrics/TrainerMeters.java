package dev.sluice.trainer.metrics;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Figures of this service for Prometheus; all begin with {@code sluice_trainer_}. */
@ApplicationScoped
public class TrainerMeters {
    private final MeterRegistry registry;

    public TrainerMeters(MeterRegistry registry) {
        this.registry = registry;
    }

    /** Where a run is, asked at each scrape. */
    public interface Source {
        int step();

        int weightVersion();

        /** Groups that could be in flight now if engines were no limit. */
        int groupsWanted();

        /** Groups without a result. */
        int groupsRunning();

        /** Groups that wait to be trained on. */
        int groupsReady();
    }

    /** Shows a run until the returned registration is closed. */
    public AutoCloseable watch(String runId, Source source) {
        List<Gauge> gauges = new ArrayList<>();
        gauges.add(gauge("sluice_trainer_step", "Steps trained", runId, source, Source::step));
        gauges.add(gauge("sluice_trainer_weight_version", "Newest version", runId, source, Source::weightVersion));
        gauges.add(gauge(
                "sluice_trainer_groups_wanted",
                "Groups that could be in flight: demand for engines",
                runId,
                source,
                Source::groupsWanted));
        gauges.add(gauge("sluice_trainer_groups_running", "Groups in flight", runId, source, Source::groupsRunning));
        gauges.add(gauge("sluice_trainer_groups_ready", "Groups ready to train", runId, source, Source::groupsReady));
        return () -> gauges.forEach(registry::remove);
    }

    private Gauge gauge(String name, String about, String runId, Source source, ToDoubleFunction<Source> figure) {
        return Gauge.builder(name, source, figure)
                .description(about)
                .tags(Tags.of("run", runId))
                .strongReference(true)
                .register(registry);
    }

    /** Notes the time that a verb of the loop took. */
    public void took(String runId, String verb, Duration time) {
        registry.timer("sluice_trainer_phase", Tags.of("run", runId, "phase", verb))
                .record(time);
    }

    /** Counts a start of the worker. */
    public void workerStarted(String runId, String how) {
        registry.counter("sluice_trainer_worker_starts", Tags.of("run", runId, "how", how))
                .increment();
    }
}
