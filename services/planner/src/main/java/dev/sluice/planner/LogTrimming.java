package dev.sluice.planner;

import dev.sluice.events.Topics;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.LogTrim;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Deletes the part of the log of results that no run needs, now and then and many records at once. It has a thread of its
 * own: decisions about runs must not wait for the broker.
 */
@ApplicationScoped
class LogTrimming {
    private static final Logger LOG = LoggerFactory.getLogger(LogTrimming.class);

    private final ScheduledExecutorService executor = Executors.newSingleThreadScheduledExecutor(
            Thread.ofPlatform().name("log-trimming").daemon().factory());
    private final Map<Integer, Long> beginnings = new ConcurrentHashMap<>();
    private final LogTrim trim;
    private final PlannerConfig config;
    private final RunKeeper keeper;
    private final MeterRegistry metrics;

    LogTrimming(KafkaConnection connection, PlannerConfig config, RunKeeper keeper, MeterRegistry metrics) {
        this.trim = new LogTrim(connection, Topics.GROUP_EVENTS);
        this.config = config;
        this.keeper = keeper;
        this.metrics = metrics;
    }

    /** Looks at the log again and again from now on, as long as this planner is the one that decides. */
    void start() {
        long interval = config.logTrimInterval().toMillis();
        executor.scheduleWithFixedDelay(this::lookOnce, interval, interval, TimeUnit.MILLISECONDS);
    }

    private void lookOnce() {
        try {
            look();
        } catch (RuntimeException e) {
            LOG.warn("the log of results was not trimmed; tried again in {}", config.logTrimInterval(), e);
        }
    }

    private void look() {
        if (beginnings.isEmpty()) {
            learn(trim.beginnings());
        }
        Map<Integer, Long> due = new TreeMap<>(keeper.deletableResults());
        due.entrySet().removeIf(below -> !isWorthwhile(below.getKey(), below.getValue()));
        if (!due.isEmpty()) {
            learn(trim.deleteBelow(due));
            LOG.info(
                    "trimmed the log of results, whose first offsets are now, by partition, {} topic={}",
                    due,
                    Topics.GROUP_EVENTS.topicName());
        }
    }

    private boolean isWorthwhile(int partition, long below) {
        return below - beginnings.getOrDefault(partition, 0L) >= Math.max(1, config.logTrimRecords());
    }

    private void learn(Map<Integer, Long> found) {
        found.forEach((partition, offset) -> {
            if (beginnings.put(partition, offset) == null) {
                Gauge.builder("sluice.planner.log.trimmed.offset", beginnings, known -> known.get(partition))
                        .description("First offset of the log of results that is still there")
                        .tag("partition", Integer.toString(partition))
                        .register(metrics);
            }
        });
    }

    @PreDestroy
    void close() {
        executor.shutdownNow();
    }
}
