package dev.sluice.domain.guard;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TrainingRequest.Guard;
import dev.sluice.events.TrainingRequest.GuardAction;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class GuardWatchTest {
    private static final Guard TWICE = new Guard("train/grad_norm", 10, 2, GuardAction.PAUSE, 60);

    @Test
    void tripsWithTheLastOfEnoughStepsInARow() {
        GuardWatch watch = new GuardWatch(List.of(TWICE));

        assertThat(watch.observe(1, norm(11))).isEmpty();
        assertThat(watch.observe(2, norm(9))).isEmpty();
        assertThat(watch.observe(3, norm(12))).isEmpty();
        assertThat(watch.observe(4, norm(13))).containsExactly(new GuardTrip(TWICE, 4, 13));
    }

    @Test
    void tripsAgainOnlyAfterAStepBelow() {
        GuardWatch watch = new GuardWatch(List.of(new Guard("train/grad_norm", 10, 1, GuardAction.WARN, 60)));

        assertThat(watch.observe(1, norm(11))).hasSize(1);
        assertThat(watch.observe(2, norm(11))).isEmpty();
        assertThat(watch.observe(3, norm(10))).isEmpty();
        assertThat(watch.observe(4, norm(10.5))).hasSize(1);
    }

    @Test
    void aFigureThatAStepLacksChangesNothing() {
        GuardWatch watch = new GuardWatch(List.of(TWICE));

        watch.observe(1, norm(11));
        watch.observe(2, Map.of("train/loss", 99.0));

        assertThat(watch.observe(3, norm(11))).hasSize(1);
    }

    @Test
    void stepsThatWereTakenBackDoNotCount() {
        GuardWatch watch = new GuardWatch(List.of(TWICE));
        watch.observe(1, norm(11));

        watch.forget();

        assertThat(watch.observe(1, norm(11))).isEmpty();
    }

    @Test
    void aTripSaysWhatWasAboveWhat() {
        assertThat(new GuardTrip(TWICE, 4, 13.5).reason())
                .isEqualTo("train/grad_norm is 13.5 at step 4, above 10 for 2 steps");
        assertThat(new GuardTrip(TWICE, 4, 10.123456789).reason()).contains("is 10.1235 at step 4");
    }

    private static Map<String, Double> norm(double value) {
        return Map.of("train/grad_norm", value);
    }
}
