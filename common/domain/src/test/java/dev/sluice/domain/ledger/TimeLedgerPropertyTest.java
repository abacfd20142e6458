package dev.sluice.domain.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.WeightEvent.Phase;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever happens in a run, each second of each GPU is in one bucket. The GPUs of a run are counted by hand, from its plan. */
class TimeLedgerPropertyTest {
    private static final int RUNS = 500;

    /** A run that is made up as it goes: its engines and worker fail, and clocks disagree. */
    private static final class MadeUp {
        private final Random random;
        private final TimeEvents events = new TimeEvents();
        private final int engines;
        private final int gpusPerEngine;
        private final int trainingGpus;
        private final boolean colocated;
        private final double[] freeSince;
        private double now;
        private int launched;
        private int phases;
        private double workerSeconds;
        private double workedUntil;

        MadeUp(Placement placement, Random random) {
            this.random = random;
            this.colocated = placement == Placement.COLOCATED;
            this.engines = 1 + random.nextInt(3);
            this.gpusPerEngine = 1 + random.nextInt(4);
            // Engines may leave some of the shared GPUs alone, but have none that training has not.
            this.trainingGpus = colocated ? engines * gpusPerEngine + random.nextInt(3) : 1 + random.nextInt(8);
            this.freeSince = new double[engines];
            Integer[] gpus = IntStream.range(0, engines * gpusPerEngine).boxed().toArray(Integer[]::new);
            events.planned(placement, trainingGpus, engines, gpusPerEngine).assigned(0, engines, gpus);
        }

        int gpus() {
            return colocated ? trainingGpus : trainingGpus + engines * gpusPerEngine;
        }

        private double pause() {
            now += random.nextInt(4) * random.nextDouble();
            return now;
        }

        SeatTime play() {
            String[] ids = new String[engines];
            int steps = 1 + random.nextInt(6);
            for (int step = 0; step < steps; step++) {
                for (int i = 0; i < engines; i++) {
                    ids[i] = live(ids[i], i);
                }
                handOver();
            }
            if (random.nextBoolean()) {
                events.lastCut(pause());
            }
            events.succeeded(pause());
            TimeLedger ledger = new TimeLedger(TimeEvents.RUN);
            events.all().forEach(written -> ledger.apply(written.event(), written.at()));
            return ledger.spent(TimeEvents.at(1e6));
        }

        private String live(String id, int engine) {
            String living = id;
            if (living == null && random.nextInt(4) > 0) {
                living = "engine-" + ++launched;
                double began = Math.max(freeSince[engine], pause());
                events.started(living, began);
                if (random.nextInt(4) > 0) {
                    now = Math.max(now, began);
                    events.ready(living, pause(), now - began);
                }
            }
            if (living != null) {
                double began = now;
                // What it tells may overlap with its start, with other things, and with what the worker does.
                events.generated(living, pause(), TimeEvents.span(began, now + random.nextInt(2)));
                if (random.nextBoolean()) {
                    events.loaded(living, pause(), random.nextInt(10) * random.nextDouble());
                }
                if (random.nextInt(5) == 0) {
                    events.stopped(living, pause());
                    freeSince[engine] = now;
                    living = null;
                }
            }
            return living;
        }

        private void handOver() {
            if (colocated || random.nextBoolean()) {
                events.phase(++phases, random.nextBoolean() ? Phase.TRAIN : Phase.SYNC, pause());
            }
            int calls = random.nextInt(5);
            for (int call = 0; call < calls; call++) {
                double began = pause();
                double ended = pause();
                events.worked(now, Activity.values()[random.nextInt(Activity.values().length)], began, ended);
                workerSeconds += ended - Math.max(began, workedUntil);
                workedUntil = ended;
            }
            if (phases > 0 && random.nextInt(6) > 0) {
                events.phase(++phases, Phase.GENERATE, pause());
            }
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"COLOCATED", "DISAGGREGATED"})
    void theBucketsAddUpToTheTimeOfAllGpus(Placement placement) {
        for (long seed = 1; seed <= RUNS; seed++) {
            MadeUp run = new MadeUp(placement, new Random(seed));

            SeatTime time = run.play();

            assertThat(time.unit()).isEqualTo("GPU-seconds");
            assertThat(time.all().total()).as("seed %d: %s", seed, time).isCloseTo(run.now * run.gpus(), within(1e-5));
            TimeBuckets worker = time.worker();
            assertThat(worker.training() + worker.syncing() + worker.loading() + worker.saving())
                    .as("seed %d: what the worker did", seed)
                    .isCloseTo(run.workerSeconds * run.trainingGpus, within(1e-5));
            assertThat(List.of(time.engines(), worker))
                    .as("seed %d", seed)
                    .allSatisfy(side -> assertThat(amounts(side)).allMatch(seconds -> seconds > -1e-6));
        }
    }

    private static DoubleStream amounts(TimeBuckets side) {
        return Arrays.stream(new double[] {
            side.generating(),
            side.waiting(),
            side.handOver(),
            side.training(),
            side.syncing(),
            side.loading(),
            side.saving(),
            side.down()
        });
    }
}
