package dev.sluice.cli.run;

import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.function.Consumer;

/** Kills engines of a run on this machine, one after another, as a fault test: as if their GPUs had failed. */
public final class EngineKiller implements AutoCloseable {
    private static final Duration GLANCE = Duration.ofMillis(100);

    private final EngineDeaths deaths;
    private final StateReader reader;
    private final Thread thread;
    private final Consumer<String> say;
    private volatile boolean closed;

    private EngineKiller(EngineDeaths deaths, StateReader reader, Consumer<String> say) {
        this.deaths = deaths;
        this.reader = reader;
        this.say = say;
        this.thread = Thread.ofPlatform().daemon().name("engine-killer").unstarted(this::kill);
    }

    /**
     * @param engines to kill in all; fewer where the run ends before
     * @param say gets a line for every tenth death
     */
    public static EngineKiller start(String bootstrapServers, String runId, int engines, Consumer<String> say) {
        EngineDeaths deaths = new EngineDeaths(runId, engines);
        StateReader reader = StateReader.start(
                new KafkaConnection(bootstrapServers, "sluice-killer"),
                List.of(Topics.ENGINES, Topics.GROUP_EVENTS),
                deaths::take);
        EngineKiller killer = new EngineKiller(deaths, reader, say);
        killer.thread.start();
        return killer;
    }

    private void kill() {
        while (!closed) {
            deaths.next(Instant.now()).ifPresent(this::kill);
            try {
                Thread.sleep(GLANCE);
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    private void kill(EngineDeaths.Victim victim) {
        boolean killed = ProcessHandle.of(victim.pid())
                .map(ProcessHandle::destroyForcibly)
                .orElse(false);
        if (!killed) {
            deaths.missed();
        } else if (deaths.killed() % 10 == 0) {
            say.accept("%d engines killed".formatted(deaths.killed()));
        }
    }

    /** What came of it. */
    public Figures figures() {
        List<Double> seconds = deaths.untilSampled().stream()
                .map(duration -> duration.toMillis() / 1000.0)
                .sorted(Comparator.naturalOrder())
                .toList();
        return new Figures(
                deaths.killed(),
                seconds.size(),
                seconds.isEmpty() ? 0 : seconds.get(seconds.size() / 2),
                seconds.isEmpty() ? 0 : seconds.getLast());
    }

    /**
     * @param killed engines
     * @param followed deaths after which the next engine of the instance has sampled
     * @param medianSeconds from a death to those samples; 0 where there are none
     * @param longestSeconds of them
     */
    public record Figures(int killed, int followed, double medianSeconds, double longestSeconds) {}

    @Override
    public void close() {
        closed = true;
        thread.interrupt();
        reader.close();
    }
}
