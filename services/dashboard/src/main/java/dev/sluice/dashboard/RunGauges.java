package dev.sluice.dashboard;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.HashSet;
import java.util.Set;
import java.util.function.ToDoubleFunction;

/** Prometheus gauges of every run: {@code sluice_run_figure{run, name}} for each metric name, and a few of its own. */
@ApplicationScoped
public class RunGauges {
    private final Projection projection;
    private final MeterRegistry registry;
    private final Set<String> registered = new HashSet<>();

    RunGauges(Projection projection, MeterRegistry registry) {
        this.projection = projection;
        this.registry = registry;
    }

    void start(@Observes StartupEvent event) {
        projection.onChange(this::register);
    }

    private void register(RunView run) {
        String runId = run.runId();
        if (registered.add(runId)) {
            gauge("sluice.run.step", runId, Tags.empty(), RunView::step);
            gauge("sluice.run.weight.version", runId, Tags.empty(), RunView::weightVersion);
            gauge("sluice.run.engines.ready", runId, Tags.empty(), RunView::enginesReady);
        }
        for (String figure : run.figures()) {
            if (registered.add(runId + " " + figure)) {
                gauge("sluice.run.figure", runId, Tags.of("name", figure), view -> view.newest(figure));
            }
        }
    }

    private void gauge(String name, String runId, Tags tags, ToDoubleFunction<RunView> figure) {
        Gauge.builder(name, projection, all -> all.read(runId, figure))
                .tags(tags.and("run", runId))
                .register(registry);
    }
}
