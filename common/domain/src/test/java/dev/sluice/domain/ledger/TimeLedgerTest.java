package dev.sluice.domain.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.WeightEvent.Phase;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Expected seconds are added up by hand from the times that a test writes. */
class TimeLedgerTest {
    /** Two engines and a worker from second 0 to second 100; the second engine dies at 40 and its successor is ready at 60. */
    private static TimeEvents run() {
        return new TimeEvents()
                .assigned(0, 2)
                .started("a", 1)
                .ready("a", 10, 9)
                .started("b", 1)
                .ready("b", 12, 11)
                .generated("a", 35, TimeEvents.span(15, 35))
                .generated("b", 41, TimeEvents.span(20, 40))
                .stopped("b", 40)
                .loaded("a", 52, 4)
                .started("c", 45)
                .ready("c", 60, 15)
                .generated("a", 90, TimeEvents.span(52, 80))
                .worked(20, Activity.LOADING, 5, 15)
                .worked(50, Activity.TRAINING, 36, 46)
                .worked(50, Activity.SYNCING, 46, 48)
                .worked(95, Activity.TRAINING, 81, 91)
                .worked(95, Activity.SAVING, 91, 94)
                .succeeded(100);
    }

    @Test
    void everySecondOfEverySeatIsInOneBucket() {
        SeatTime time = spent(run().all());

        assertThat(time.unit()).isEqualTo("process-seconds");
        assertThat(time.wallSeconds()).isEqualTo(100);
        assertThat(time.all().total()).isCloseTo(3 * 100, within(1e-6));
        // a: launched at 1, ready at 10, generates 20 + 28, loads 4, and lives to the end.
        // b: launched at 1, ready at 12, generates 20, ends at 40. c: launched at 45, ready at 60, idle to the end.
        assertThat(time.engines().loading()).isCloseTo(9 + 11 + 15, within(1e-6));
        assertThat(time.engines().generating()).isCloseTo(48 + 20, within(1e-6));
        assertThat(time.engines().syncing()).isCloseTo(4, within(1e-6));
        assertThat(time.engines().down()).isCloseTo(1 + 1 + 5, within(1e-6));
        assertThat(time.engines().waiting()).isCloseTo((90 - 52) + (28 - 20) + 40, within(1e-6));
        assertThat(time.worker()).isEqualTo(new TimeBuckets(0, (36 - 15) + (81 - 48), 0, 20, 2, 10, 3, 5 + (100 - 94)));
    }

    @ParameterizedTest(name = "seed {0}")
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void anyInterleavingOfTheTopicsGivesTheSame(long seed) {
        Random random = new Random(seed);
        TimeEvents run = run();
        List<List<TimeEvents.Written>> topics = new ArrayList<>(List.of(
                new ArrayList<>(run.runs),
                new ArrayList<>(run.engines),
                new ArrayList<>(run.training),
                new ArrayList<>(run.weights)));
        topics.removeIf(List::isEmpty);
        List<TimeEvents.Written> interleaved = new ArrayList<>();
        while (!topics.isEmpty()) {
            Collections.shuffle(topics, random);
            interleaved.add(topics.getFirst().removeFirst());
            topics.removeIf(List::isEmpty);
        }

        assertThat(spent(interleaved)).isEqualTo(spent(run.all()));
    }

    @Test
    void anEngineWithFourGpusCountsFourTimes() {
        SeatTime time = spent(new TimeEvents()
                .assigned(0, 1, 0, 1, 2, 3)
                .started("a", 0)
                .ready("a", 10, 10)
                .generated("a", 50, TimeEvents.span(20, 50))
                .succeeded(100)
                .all());

        assertThat(time.engines()).isEqualTo(new TimeBuckets(4 * 30, 4 * 60, 0, 0, 0, 4 * 10, 0, 0));
    }

    @Test
    void anEngineThatStandsStillForTrainingOrWeightsHandsOver() {
        TimeEvents events = new TimeEvents()
                .assigned(0, 1)
                .started("a", 0)
                .ready("a", 10, 10)
                .phase(1, Phase.TRAIN, 20)
                .generated("a", 60, TimeEvents.span(12, 22), TimeEvents.span(50, 60))
                .phase(2, Phase.SYNC, 40)
                .phase(3, Phase.GENERATE, 45)
                .loaded("a", 46, 3)
                .phase(4, Phase.TRAIN, 90)
                .succeeded(100);

        SeatTime time = spent(events.all());

        // From 22, when it had generated what it had begun, to 43, when it loads; and 10 of the last.
        assertThat(time.engines()).isEqualTo(new TimeBuckets(20, 100 - 10 - 20 - 3 - 31, 31, 0, 3, 10, 0, 0));
    }

    @Test
    void aMomentOfSharedGpusIsTheWorkersWhileACallRunsAndElseTheEngines() {
        SeatTime time = spent(new TimeEvents()
                .planned(Placement.COLOCATED, 2, 1, 2)
                .assigned(0, 1, 0, 1)
                .started("a", 1)
                .ready("a", 20, 19)
                .phase(1, Phase.TRAIN, 22)
                .worked(35, Activity.LOADING, 24, 30)
                .worked(35, Activity.LOADING, 30, 34)
                .worked(35, Activity.SYNCING, 34, 35)
                .phase(2, Phase.GENERATE, 36)
                .loaded("a", 38, 3)
                .generated("a", 50, TimeEvents.span(40, 50))
                .phase(3, Phase.TRAIN, 50)
                .worked(64, Activity.SYNCING, 51, 52)
                .worked(64, Activity.TRAINING, 52, 60)
                .worked(64, Activity.SYNCING, 60, 61)
                .worked(64, Activity.SAVING, 61, 63)
                .worked(64, Activity.SYNCING, 63, 64)
                .phase(4, Phase.GENERATE, 65)
                .loaded(
                        "a", 70,
                        20) // it stood still for the weights from 50 on, while the worker was busy from 51 to 64
                .succeeded(100)
                .all());

        assertThat(time.all().total()).isCloseTo(2 * 100, within(1e-6));
        assertThat(time.worker()).isEqualTo(new TimeBuckets(0, 0, 0, 2 * 8, 2 * 4, 2 * 10, 2 * 2, 0));
        // Launched at 1, ready at 20; loads from 35 to 38, from 50 to 51 and from 64 to 70; hands over from 22 to 24.
        assertThat(time.engines())
                .isEqualTo(new TimeBuckets(2 * 10, 2 * (2 + 2 + 30), 2 * 2, 0, 2 * (3 + 1 + 6), 2 * 19, 0, 2));
    }

    @Test
    void aGpuThatNoEngineSharesIsTheWorkersAllTheTime() {
        SeatTime time = spent(new TimeEvents()
                .planned(Placement.COLOCATED, 3, 1, 2)
                .assigned(0, 1, 0, 1)
                .started("a", 0)
                .ready("a", 10, 10)
                .worked(30, Activity.LOADING, 20, 30)
                .worked(50, Activity.TRAINING, 40, 50)
                .succeeded(60)
                .all());

        assertThat(time.worker()).isEqualTo(new TimeBuckets(0, 10, 0, 3 * 10, 0, 3 * 10, 0, 20 + 10));
        assertThat(time.engines()).isEqualTo(new TimeBuckets(0, 2 * 30, 0, 0, 0, 2 * 10, 0, 0));
    }

    @Test
    void enginesHandNothingOverWhenTheLastCutIsSaved() {
        SeatTime time = spent(new TimeEvents()
                .planned(Placement.COLOCATED, 1, 1, 1)
                .assigned(0, 1, 0)
                .started("a", 0)
                .ready("a", 10, 10)
                .phase(1, Phase.TRAIN, 20)
                .worked(30, Activity.SAVING, 22, 29)
                .lastCut(30)
                .succeeded(100)
                .all());

        assertThat(time.engines()).isEqualTo(new TimeBuckets(0, 10 + 70, 2 + 1, 0, 0, 10, 0, 0));
    }

    @Test
    void aSeatThatWasTakenAwayCountsNoLonger() {
        SeatTime time = spent(
                new TimeEvents().assigned(0, 2).assigned(30, 0).succeeded(100).all());

        assertThat(time.engines()).isEqualTo(TimeBuckets.down(2 * 30));
    }

    @Test
    void aWorkerThatFailedIsDownUntilTheNextOneIsStarted() {
        SeatTime time = spent(new TimeEvents()
                .assigned(0, 1)
                .worked(10, Activity.LOADING, 0, 10)
                .worked(30, Activity.TRAINING, 10, 30)
                .worked(60, Activity.LOADING, 50, 55)
                .worked(60, Activity.LOADING, 56, 60)
                .succeeded(60)
                .all());

        assertThat(time.worker()).isEqualTo(new TimeBuckets(0, 1, 0, 20, 0, 10 + 5 + 4, 0, 20));
    }

    @Test
    void aRunThatGoesOnCountsUpToNow() {
        TimeLedger ledger = new TimeLedger(TimeEvents.RUN);
        new TimeEvents()
                .assigned(0, 1)
                .started("a", 0)
                .ready("a", 5, 5)
                .all()
                .forEach(written -> ledger.apply(written.event(), written.at()));

        SeatTime time = ledger.spent(TimeEvents.at(20));

        assertThat(time.engines()).isEqualTo(new TimeBuckets(0, 15, 0, 0, 0, 5, 0, 0));
        assertThat(time.worker()).isEqualTo(TimeBuckets.down(20));
    }

    @Test
    void aTrainedTokenCostsTheTimeOfAllSeats() {
        assertThat(spent(run().all()).perTrainedToken(600)).isCloseTo(0.5, within(1e-9));
        assertThat(spent(run().all()).perTrainedToken(0)).isZero();
    }

    private static SeatTime spent(List<TimeEvents.Written> events) {
        TimeLedger ledger = new TimeLedger(TimeEvents.RUN);
        events.forEach(written -> ledger.apply(written.event(), written.at()));
        return ledger.spent(TimeEvents.at(1e6));
    }
}
