package dev.sluice.domain.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.TrainerReady;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Expected milliseconds are added up by hand from the times that a test writes. */
class ControlPlaneTest {
    @Test
    void isWhatNeitherEnginesNorTheWorkerFill() {
        ControlPlaneTime time = time(new TimeEvents()
                        .step(1, 10)
                        .loaded("a", 10.5, 0.4)
                        .generated("a", 13, TimeEvents.span(10.55, 12))
                        .generated("b", 13, TimeEvents.span(10.7, 12.5))
                        .worked(15, Activity.TRAINING, 12.53, 14)
                        .worked(15, Activity.SYNCING, 14.01, 14.5)
                        .step(2, 14.6))
                .orElseThrow();

        assertThat(time.steps()).isEqualTo(1);
        assertThat(time.stepMillis()).isCloseTo(4600, within(1e-3));
        assertThat(time.millisByCause().get("publication")).isCloseTo(100, within(1e-3));
        assertThat(time.millisByCause().get("dispatch")).isCloseTo(50, within(1e-3));
        assertThat(time.millisByCause().get("batch")).isCloseTo(30, within(1e-3));
        assertThat(time.millisByCause().get("export")).isCloseTo(10, within(1e-3));
        assertThat(time.millisByCause().get("step")).isCloseTo(100, within(1e-3));
        assertThat(time.millisByCause().get("cut")).isZero();
        assertThat(time.millis()).isCloseTo(290, within(1e-3));
    }

    @Test
    void isNothingWhileEnginesGenerateBesideTraining() {
        ControlPlaneTime time = time(new TimeEvents()
                        .step(1, 10)
                        .generated("a", 20, TimeEvents.span(5, 15))
                        .step(2, 12))
                .orElseThrow();

        assertThat(time.millis()).isZero();
    }

    @Test
    void isTheMedianOfTheSteps() {
        ControlPlaneTime time = time(new TimeEvents()
                        .step(1, 10)
                        .step(2, 11)
                        .step(3, 15)
                        .step(4, 17))
                .orElseThrow();

        assertThat(time.steps()).isEqualTo(3);
        assertThat(time.millis()).isCloseTo(2000, within(1e-3));
    }

    @Test
    void leavesOutStepsInWhichATrainerBegan() {
        ControlPlane plane = new ControlPlane(TimeEvents.RUN);
        new TimeEvents().step(1, 10).step(2, 20).all().forEach(written -> plane.apply(written.event(), written.at()));
        plane.apply(new TrainerReady(TimeEvents.RUN, 2, "trainer-1", 1, "resumed"), TimeEvents.at(15));

        assertThat(plane.time()).isEmpty();
    }

    private static Optional<ControlPlaneTime> time(TimeEvents events) {
        ControlPlane plane = new ControlPlane(TimeEvents.RUN);
        events.all().forEach(written -> plane.apply(written.event(), written.at()));
        return plane.time();
    }
}
