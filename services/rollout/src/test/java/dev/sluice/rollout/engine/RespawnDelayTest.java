package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RespawnDelayTest {
    @Test
    void failuresInARowWaitLongerUpToABound() {
        // Given
        RespawnDelay delay = new RespawnDelay();
        // When
        var seconds = Stream.generate(() -> delay.next(false).toMillis() / 1000.0)
                .limit(8)
                .toList();
        // Then
        assertThat(seconds).containsExactly(0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 30.0, 30.0);
    }

    @Test
    void aGoodLifeStartsTheDelaysAnew() {
        // Given
        RespawnDelay delay = new RespawnDelay();
        delay.next(false);
        delay.next(false);
        // When
        Duration afterGoodLife = delay.next(true);
        // Then
        assertThat(afterGoodLife).isEqualTo(Duration.ofMillis(500));
    }
}
