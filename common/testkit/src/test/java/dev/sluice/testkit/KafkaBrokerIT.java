package dev.sluice.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.MetricPoint;
import dev.sluice.events.RunEvent;
import dev.sluice.events.Topics;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(KafkaBroker.class)
class KafkaBrokerIT {
    @Test
    void aPublishedEventIsSeenTyped(KafkaBroker kafka) {
        String runId = kafka.newRunId("A published event");
        MetricPoint point = new MetricPoint(runId, "rollout/raw_reward", 1, 0, 0.5, Instant.EPOCH);
        try (EventLog log = kafka.follow(Topics.METRICS)) {
            kafka.publish(point);

            assertThat(log.await(runId, MetricPoint.class)).isEqualTo(point);
            assertThat(log.events(runId, MetricPoint.class)).containsExactly(point);
        }
    }

    @Test
    void eventsOfOtherRunsAreNotTaken(KafkaBroker kafka) {
        String runId = kafka.newRunId("mine");
        kafka.publish(new MetricPoint(kafka.newRunId("other"), "train/loss", 1, 0, 0.5, Instant.EPOCH));
        try (EventLog log = kafka.follow(Topics.METRICS)) {

            assertThatThrownBy(() -> log.await(runId, MetricPoint.class, any -> true, Duration.ofMillis(200)))
                    .isInstanceOf(AssertionError.class)
                    .hasMessageStartingWith("No fitting MetricPoint of " + runId);
            assertThat(log.recordsOf(runId)).isEmpty();
        }
    }

    @Test
    void bytesThatAreNoEventReachTheTopicAndNoReader(KafkaBroker kafka) {
        kafka.publishRaw(Topics.RUN_EVENTS, "x", Map.of("ce_type", "dev.sluice.RunStarted.v1"), new byte[] {'{'});
        try (EventLog log = kafka.follow(Topics.RUN_EVENTS)) {

            assertThat(log.records()).noneMatch(record -> record.event() instanceof RunEvent.RunStarted);
        }
    }

    @Test
    void everyoneInThisJvmSharesOneBroker(KafkaBroker kafka) {
        assertThat(KafkaBroker.shared().bootstrapServers())
                .isEqualTo(kafka.bootstrapServers())
                .isEqualTo(System.getProperty("sluice.kafka.bootstrap-servers"));
        assertThat(kafka.newRunId("Some Test: 1"))
                .matches("some-test-1-[0-9]+-[0-9]+")
                .hasSizeLessThanOrEqualTo(40);
    }
}
