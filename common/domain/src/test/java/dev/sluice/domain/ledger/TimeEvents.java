package dev.sluice.domain.ledger;

import dev.sluice.events.Backend;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.EngineWorked;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Event;
import dev.sluice.events.Plan;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.TimeSpan;
import dev.sluice.events.TrainingEvent.Activity;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WorkerTime;
import dev.sluice.events.TrainingEvent.WorkerWorked;
import dev.sluice.events.TrainingRequest.Placement;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Writes what a run's topics say of its time, in seconds after noon. */
final class TimeEvents {
    static final String RUN = "run-1";
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    /** By topic, each in its order. */
    final List<Written> runs = new ArrayList<>();

    final List<Written> engines = new ArrayList<>();
    final List<Written> training = new ArrayList<>();

    final List<Written> weights = new ArrayList<>();

    record Written(Event event, Instant at) {}

    static Instant at(double seconds) {
        return NOON.plusNanos(Math.round(seconds * 1e9));
    }

    static TimeSpan span(double began, double ended) {
        return new TimeSpan(at(began), at(ended));
    }

    /** A plan on GPUs. */
    TimeEvents planned(Placement placement, int trainingGpus, int engines, int gpusPerEngine) {
        Plan plan = new Plan(
                Backend.GPU,
                new Plan.ModelFigures("glm4_moe_lite", 1, 1, 0, 64),
                new Plan.TrainingPlan(
                        new Plan.TrainingLayout(1, 1, 1, 1, 1, trainingGpus),
                        List.of(),
                        new Plan.Memory(0, 1),
                        false,
                        trainingGpus,
                        64,
                        List.of(),
                        Map.of()),
                new Plan.RolloutPlan(
                        engines,
                        new Plan.EngineLayout(gpusPerEngine, 1, 1, 0),
                        List.of(),
                        1024,
                        8,
                        gpusPerEngine,
                        List.of(),
                        Map.of(),
                        List.of()),
                null,
                List.of(),
                List.of(),
                List.of(),
                List.of(),
                placement,
                Transport.DISK);
        runs.add(new Written(new RunPlanned(RUN, "sha", null, plan), at(0)));
        return this;
    }

    TimeEvents assigned(double at, int engines, Integer... gpus) {
        runs.add(new Written(
                new RunAssigned(
                        RUN,
                        1,
                        new TrainerShare("trainer-1", "a", 1),
                        engines == 0
                                ? List.of()
                                : List.of(new RolloutShare("rollout-1", "b", engines, Arrays.asList(gpus))),
                        "new"),
                at(at)));
        return this;
    }

    TimeEvents succeeded(double at) {
        runs.add(new Written(new RunSucceeded(RUN, 2, "/dist", "/hf"), at(at)));
        return this;
    }

    TimeEvents started(String engine, double at) {
        engines.add(new Written(new EngineStarted(RUN, 1, engine, "rollout-1", 1, 1), at(at)));
        return this;
    }

    TimeEvents ready(String engine, double at, double sinceLaunch) {
        engines.add(new Written(new EngineReady(RUN, 1, engine, "rollout-1", "b", 0, 8, sinceLaunch), at(at)));
        return this;
    }

    TimeEvents loaded(String engine, double at, double seconds) {
        engines.add(new Written(new WeightsLoaded(RUN, 1, engine, "rollout-1", 1, seconds, List.of()), at(at)));
        return this;
    }

    TimeEvents generated(String engine, double told, TimeSpan... spans) {
        engines.add(new Written(new EngineWorked(RUN, 1, engine, "rollout-1", List.of(spans)), at(told)));
        return this;
    }

    TimeEvents stopped(String engine, double at) {
        engines.add(new Written(new EngineStopped(RUN, 1, engine, "rollout-1", "the run ends", 0, List.of()), at(at)));
        return this;
    }

    TimeEvents phase(int number, Phase phase, double at) {
        weights.add(new Written(new PhaseChanged(RUN, 1, number, phase, number, List.of()), at(at)));
        return this;
    }

    TimeEvents worked(double told, Activity activity, double began, double ended) {
        training.add(new Written(
                new WorkerWorked(RUN, 1, List.of(new WorkerTime(activity, span(began, ended)))), at(told)));
        return this;
    }

    TimeEvents lastCut(double at) {
        training.add(new Written(
                new CheckpointSaved(RUN, 1, 1, 1, 1, "/cut", "sha", true, 1, 1, List.of(), 0, 0, "data"), at(at)));
        return this;
    }

    TimeEvents step(int step, double at) {
        training.add(new Written(new StepCompleted(RUN, 1, step, step, step, 10, 0, List.of(1), Map.of()), at(at)));
        return this;
    }

    List<Written> all() {
        List<Written> all = new ArrayList<>(runs);
        all.addAll(engines);
        all.addAll(training);
        all.addAll(weights);
        return all;
    }
}
