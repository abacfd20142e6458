package dev.sluice.domain.run;

import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.EngineEvent;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.TrainingEvent;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.TrainerLost;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What others have reported of one run, as conditions: topics have no common order, so none of this says what came first.
 * Reading it all again gives the same. Not for several threads.
 */
final class RunConditions {
    private final Set<Integer> readyTrainerEpochs = new HashSet<>();
    private final Map<Integer, TrainerLost> lostByTrainerEpoch = new TreeMap<>();
    private final Map<String, EngineReady> readyEngines = new HashMap<>();
    private final Set<String> stoppedEngines = new HashSet<>();
    private @Nullable Instant convertedAt;
    private Instant conversionSeenAt = Instant.EPOCH;
    private @Nullable ConversionFailed conversionFailed;
    private @Nullable CheckpointExported exported;
    private @Nullable CheckpointSaved newestCut;
    private @Nullable Instant lastCutAt;
    private boolean rolloutFinished;

    /** Takes a report; returns whether a decision could depend on it. */
    boolean observe(CheckpointEvent event, Instant at) {
        conversionSeenAt = at.isAfter(conversionSeenAt) ? at : conversionSeenAt;
        switch (event) {
            case CheckpointEvent.CheckpointConverted converted -> convertedAt = at;
            case CheckpointExported done -> exported = done;
            case ConversionFailed failed -> conversionFailed = failed;
            case CheckpointEvent.ConversionStarted started -> {}
            case CheckpointEvent.ConversionProgressed progressed -> {}
        }
        return true;
    }

    boolean observe(EngineEvent event) {
        switch (event) {
            case EngineReady ready -> {
                if (!stoppedEngines.contains(ready.engineId())) {
                    readyEngines.put(ready.engineId(), ready);
                }
            }
            case EngineEvent.EngineStopped stopped -> stopped(stopped.engineId());
            case EngineEvent.EngineUnhealthy unhealthy -> stopped(unhealthy.engineId());
            case EngineEvent.EngineQuarantined quarantined -> stopped(quarantined.engineId());
            case EngineEvent.EngineStarted started -> {
                return false;
            }
            case EngineEvent.EngineFellBack fellBack -> {
                return false;
            }
            case EngineEvent.WeightsLoaded loaded -> {
                return false;
            }
            case EngineEvent.EngineWorked worked -> {
                return false;
            }
            case EngineEvent.PhaseReached reached -> {
                return false;
            }
        }
        return true;
    }

    /** Engine ids are never used twice, so a stopped one stays stopped. */
    private void stopped(String engineId) {
        readyEngines.remove(engineId);
        stoppedEngines.add(engineId);
    }

    boolean observe(TrainingEvent event, Instant at) {
        switch (event) {
            case TrainingEvent.TrainerReady ready -> readyTrainerEpochs.add(ready.epoch());
            case TrainerLost lost -> lostByTrainerEpoch.put(lost.epoch(), lost);
            case TrainingEvent.RolloutFinished finished -> rolloutFinished = true;
            case CheckpointSaved cut -> {
                if (newestCut == null || cut.step() >= newestCut.step()) {
                    newestCut = cut;
                    lastCutAt = cut.last() ? at : null;
                }
            }
            case TrainingEvent.BatchFormed formed -> {
                return false;
            }
            case TrainingEvent.StepCompleted completed -> {
                return false;
            }
            case TrainingEvent.EvalCompleted completed -> {
                return false;
            }
            case TrainingEvent.CheckpointRetired retired -> {
                return false;
            }
            case TrainingEvent.WaitChanged changed -> {
                return false;
            }
            case TrainingEvent.WorkerWorked worked -> {
                return false;
            }
            case TrainingEvent.WorkerFellBack fellBack -> {
                return false;
            }
            case TrainingEvent.GuardTripped tripped -> {
                return false;
            }
            case TrainingEvent.GuardReleased released -> {
                return false;
            }
            case TrainingEvent.RolledBack taken -> {
                return false;
            }
            case TrainingEvent.CheckpointAdopted adopted -> {
                return false;
            }
        }
        return true;
    }

    boolean trainerReady(int trainerEpoch) {
        return readyTrainerEpochs.contains(trainerEpoch);
    }

    /** The trainer's own word that it gives up, if it did under this epoch. */
    @Nullable
    TrainerLost lost(int trainerEpoch) {
        return lostByTrainerEpoch.get(trainerEpoch);
    }

    int trainersLost() {
        return lostByTrainerEpoch.size();
    }

    /** Whether an engine of one of the assigned processes takes work, or none is needed. */
    boolean engineReady(RunAssigned assignment) {
        return assignment.rollout().isEmpty()
                || readyEngines.values().stream()
                        .anyMatch(engine -> assignment.rollout().stream()
                                .anyMatch(share -> share.instanceId().equals(engine.instanceId())
                                        && share.incarnation().equals(engine.incarnation())));
    }

    /** When the model lay in torch_dist form; absent before. */
    @Nullable
    Instant convertedAt() {
        return convertedAt;
    }

    /** The converter's newest sign of life. */
    Instant conversionSeenAt() {
        return conversionSeenAt;
    }

    @Nullable
    ConversionFailed conversionFailed() {
        return conversionFailed;
    }

    @Nullable
    CheckpointExported exported() {
        return exported;
    }

    /** When the cut was saved that no step follows; absent before. */
    @Nullable
    Instant lastCutAt() {
        return lastCutAt;
    }

    /** Whether all was sampled that a run without steps is to sample. */
    boolean rolloutFinished() {
        return rolloutFinished;
    }

    /** Directory of the newest cut, from which the run can be resumed; absent before the first. */
    @Nullable
    String newestCut() {
        return newestCut == null ? null : newestCut.directory();
    }
}
