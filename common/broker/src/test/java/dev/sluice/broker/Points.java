package dev.sluice.broker;

import dev.sluice.events.MetricPoint;
import dev.sluice.events.Topics;
import dev.sluice.kafka.EventPublisher;
import dev.sluice.kafka.KafkaConnection;
import dev.sluice.kafka.StateReader;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Small events to write before a broker ends and to look for after it started again. */
final class Points {
    private Points() {}

    static MetricPoint point(int step) {
        return new MetricPoint("run-1", "rollout/raw_reward", step, 0, step / 10.0, Instant.EPOCH);
    }

    static void publish(String bootstrapServers, int... steps) {
        try (EventPublisher publisher = EventPublisher.prompt(new KafkaConnection(bootstrapServers, "points"))) {
            for (int step : steps) {
                publisher.publishAndWait(point(step), null);
            }
        }
    }

    /** Everything that was published so far. */
    static List<Object> read(String bootstrapServers) {
        List<Object> events = new CopyOnWriteArrayList<>();
        try (StateReader reader = StateReader.start(
                new KafkaConnection(bootstrapServers, "points"),
                List.of(Topics.METRICS),
                record -> events.add(record.event()))) {
            reader.awaitCaughtUp(Duration.ofSeconds(30));
        }
        return events;
    }
}
