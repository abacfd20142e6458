package dev.sluice.domain.run;

import dev.sluice.events.CheckpointEvent.CheckpointConverted;
import dev.sluice.events.CheckpointEvent.CheckpointExported;
import dev.sluice.events.CheckpointEvent.ConversionFailed;
import dev.sluice.events.CheckpointEvent.Direction;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.TrainerLost;
import dev.sluice.events.TrainingEvent.TrainerReady;
import java.util.List;
import java.util.stream.Stream;

/** What the other services report. */
final class Reports {
    private Reports() {}

    static List<Event> ofAGoodStart(String runId, RunAssigned assignment) {
        return Stream.concat(
                        Stream.of(converted(runId), trainerReady(runId, assignment)),
                        assignment.rollout().stream().map(share -> engineReady(runId, share)))
                .toList();
    }

    static Event converted(String runId) {
        return new CheckpointConverted(runId, "/m", "/t", 1, 1, 1, false);
    }

    static Event conversionFailed(String runId) {
        return new ConversionFailed(runId, Direction.TO_TORCH_DIST, "/m", "the disk is full; free 3 GiB");
    }

    static Event trainerReady(String runId, RunAssigned assignment) {
        return new TrainerReady(
                runId, assignment.trainer().trainerEpoch(), assignment.trainer().instanceId(), 0, "started");
    }

    static Event trainerLost(String runId, int trainerEpoch, boolean retry) {
        return new TrainerLost(runId, trainerEpoch, "the worker died; see its log", retry);
    }

    static Event engineReady(String runId, RolloutShare share) {
        return new EngineReady(runId, 1, engineId(share), share.instanceId(), share.incarnation(), 0, 128, 1);
    }

    static Event engineStopped(String runId, RolloutShare share) {
        return new EngineStopped(runId, 1, engineId(share), share.instanceId(), "it died", 137, List.of());
    }

    private static String engineId(RolloutShare share) {
        return share.instanceId() + "-" + share.incarnation() + "-0";
    }

    static Event saved(String runId, int step, boolean last) {
        return new CheckpointSaved(runId, 1, step, step, step, "/cut-" + step, "0", last, 0, 0, List.of(), 0, 0, "0");
    }

    static Event exported(String runId, int step) {
        return new CheckpointExported(runId, step, "/cut-" + step, "/export", List.of(), 1);
    }
}
