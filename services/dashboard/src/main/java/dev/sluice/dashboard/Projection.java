package dev.sluice.dashboard;

import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.kafka.EventRecord;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/** Every run and every instance, rebuilt from the topics at each start. */
@ApplicationScoped
public class Projection {
    private final Map<String, RunView> runs = new LinkedHashMap<>();
    private final Map<String, InstanceSnapshot> instances = new TreeMap<>();
    private Consumer<RunView> onChange = run -> {};
    private long revision;

    synchronized void apply(EventRecord<Event> record) {
        revision++;
        if (record.event() instanceof InstanceSnapshot snapshot) {
            instances.put(snapshot.instanceId(), snapshot);
            return;
        }
        RunView run = runs.computeIfAbsent(record.event().runId(), RunView::new);
        run.apply(record);
        onChange.accept(run);
    }

    /** Called, under the projection's lock, for each run that an event changed. */
    synchronized void onChange(Consumer<RunView> listener) {
        onChange = listener;
        runs.values().forEach(listener);
    }

    synchronized long revision() {
        return revision;
    }

    synchronized List<RunPage.Summary> summaries() {
        return runs.values().stream().map(RunView::summary).toList().reversed();
    }

    synchronized Optional<RunPage> page(String runId) {
        return Optional.ofNullable(runs.get(runId)).map(run -> run.page(Instant.now()));
    }

    synchronized Collection<InstanceSnapshot> instances() {
        return List.copyOf(instances.values());
    }

    /** One figure of a run, NaN for a run that is not known. */
    synchronized double read(String runId, ToDoubleFunction<RunView> figure) {
        RunView run = runs.get(runId);
        return run == null ? Double.NaN : figure.applyAsDouble(run);
    }
}
