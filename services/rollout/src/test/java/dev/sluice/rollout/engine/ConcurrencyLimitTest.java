package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ConcurrencyLimitTest {
    private final ConcurrencyLimit limit = new ConcurrencyLimit(64);

    @Test
    void aFullCacheTakesAQuarterOfWhatRuns() {
        assertThat(limit.observe(new Pressure(0.96, 0), 64)).isTrue();
        assertThat(limit.get()).isEqualTo(48);

        limit.observe(new Pressure(0.96, 0), 40);
        assertThat(limit.get()).as("of the 40 that ran").isEqualTo(30);
    }

    @Test
    void requestsThatWaitMeanPressureOnlyWhereTheCacheIsBusy() {
        assertThat(limit.observe(new Pressure(0.3, 5), 64)).isFalse();
        assertThat(limit.observe(new Pressure(0.85, 5), 64)).isTrue();
    }

    @Test
    void roomInTheCacheGivesSomeBackUpToTheCapacity() {
        limit.observe(new Pressure(1, 0), 64);
        limit.observe(new Pressure(0.5, 0), 48);
        assertThat(limit.get()).isEqualTo(52);

        for (int i = 0; i < 10; i++) {
            limit.observe(new Pressure(0.5, 0), limit.get());
        }
        assertThat(limit.get()).isEqualTo(64);
    }

    @Test
    void aLimitThatDoesNotBindStaysAsItIs() {
        limit.observe(new Pressure(1, 0), 64);

        assertThat(limit.observe(new Pressure(0.1, 0), 3)).isFalse();
        assertThat(limit.get()).isEqualTo(48);
    }

    @Test
    void oneSampleIsAlwaysAllowed() {
        for (int i = 0; i < 40; i++) {
            limit.observe(new Pressure(1, 9), limit.get());
        }
        assertThat(limit.get()).isEqualTo(1);
    }
}
