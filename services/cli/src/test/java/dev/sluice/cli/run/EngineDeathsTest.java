package dev.sluice.cli.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.Event;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.Int32Array;
import dev.sluice.events.UInt8Array;
import dev.sluice.kafka.EventRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

class EngineDeathsTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final EngineDeaths deaths = new EngineDeaths("run", 2);

    @Test
    void theTimeOfADeathEndsWithTheFirstSamplesOfTheNextEngine() {
        started("a-1", "a");
        started("b-1", "b");
        sampled("a-1", 0);
        assertThat(deaths.next(NOON)).as("the only one that has sampled").isEmpty();
        sampled("b-1", 0);

        String victim = deaths.next(NOON.plusSeconds(1)).orElseThrow().engineId();
        String instance = victim.substring(0, 1);
        sampled(victim, 1); // what it sent before it died
        assertThat(deaths.untilSampled()).isEmpty();
        assertThat(deaths.next(NOON.plusSeconds(2)))
                .as("until the next one has sampled")
                .isEmpty();
        started(instance + "-2", instance);
        sampled(instance + "-2", 6);

        assertThat(deaths.untilSampled()).containsExactly(Duration.ofSeconds(5));
        assertThat(deaths.next(NOON.plusSeconds(7))).isPresent();
        assertThat(deaths.killed()).isEqualTo(2);
    }

    private void started(String engineId, String instanceId) {
        take(new EngineStarted("run", 1, engineId, instanceId, 20_000, 1), 0);
    }

    private void sampled(String engineId, int second) {
        Sample sample = new Sample(
                0,
                Int32Array.of(5),
                Float32Array.of(-1),
                UInt8Array.of((byte) 1),
                1.0,
                null,
                FinishReason.STOP,
                List.of(),
                engineId,
                0,
                0,
                0,
                null,
                null,
                null,
                null);
        take(new GroupSampled("run", 1, "run/0", 0, 0, 1, "a", Int32Array.of(3), List.of(sample), 0, 1, null), second);
    }

    private void take(Event event, int second) {
        deaths.take(new EventRecord<>(event, UUID.randomUUID(), "test", NOON.plusSeconds(second), null, "t", 0, 0));
    }
}
