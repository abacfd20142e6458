package dev.sluice.cli.stack;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class RestartBudgetTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final RestartBudget budget = new RestartBudget();

    @Test
    void eachRestartWithinAMinuteWaitsTwiceAsLongAndTheSixthIsRefused() {
        assertThat(budget.next(NOON)).contains(Duration.ofMillis(200));
        assertThat(budget.next(NOON.plusSeconds(1))).contains(Duration.ofMillis(400));
        assertThat(budget.next(NOON.plusSeconds(2))).contains(Duration.ofMillis(800));
        assertThat(budget.next(NOON.plusSeconds(3))).contains(Duration.ofMillis(1600));
        assertThat(budget.next(NOON.plusSeconds(4))).contains(Duration.ofMillis(3200));

        assertThat(budget.next(NOON.plusSeconds(5))).isEmpty();
    }

    @Test
    void aQuietMinuteForgetsEarlierDeaths() {
        for (int i = 0; i < RestartBudget.RESTARTS; i++) {
            budget.next(NOON);
        }

        assertThat(budget.next(NOON.plusSeconds(61))).contains(Duration.ofMillis(200));
    }
}
