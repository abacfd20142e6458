package dev.sluice.trainer.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Int32Array;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class AbandonedInARowTest {
    private static final Instant NOW = Instant.parse("2026-01-02T03:04:05Z");

    private final AbandonedInARow row = new AbandonedInARow();

    @Test
    void aFewAbandonedGroupsHoldNothingBack() {
        abandon(AbandonedInARow.MANY - 1);

        assertThat(row.holdsBack(NOW)).isFalse();
        assertThat(row.situation()).isEmpty();
    }

    @Test
    void manyInARowHoldOthersBackForAWhileAndSayWhy() {
        abandon(AbandonedInARow.MANY);

        assertThat(row.holdsBack(NOW.plus(AbandonedInARow.PAUSE).minusMillis(1)))
                .isTrue();
        assertThat(row.holdsBack(NOW.plus(AbandonedInARow.PAUSE))).isFalse();
        assertThat(row.situation()).contains("the last 32 groups were abandoned", "beyond the context");
    }

    @Test
    void aSampledGroupEndsTheRow() {
        abandon(AbandonedInARow.MANY);

        row.take(
                new GroupSampled("run", 1, "run/7", 7, 0, 0, "rollout-1", Int32Array.of(1), List.of(), 0, 0.01, null),
                NOW);

        assertThat(row.holdsBack(NOW)).isFalse();
        assertThat(row.situation()).isEmpty();
    }

    private void abandon(int groups) {
        for (int i = 0; i < groups; i++) {
            row.take(
                    new GroupAbandoned(
                            "run", 1, "run/" + i, i, 0, 0, "rollout-1", "the prompt is beyond the context", 0),
                    NOW);
        }
    }
}
