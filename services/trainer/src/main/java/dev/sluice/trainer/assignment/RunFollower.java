package dev.sluice.trainer.assignment;

import dev.sluice.events.CheckpointEvent;
import dev.sluice.events.Event;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.RunEvent.TrainerNode;
import dev.sluice.events.RunEvent.TrainerShare;
import dev.sluice.events.RunRequest.ContinuationRequested;
import dev.sluice.trainer.run.RunSignals;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What the planner and the converter say about runs, and what follows for this instance: a run is trained here while its
 * newest assignment names this process. Runs' events and checkpoints' events come in no common order.
 */
final class RunFollower {
    private static final Logger LOG = LoggerFactory.getLogger(RunFollower.class);

    private final String instanceId;
    private final String incarnation;
    private final Training training;
    private final Map<String, Known> runs = new HashMap<>();

    RunFollower(String instanceId, String incarnation, Training training) {
        this.instanceId = instanceId;
        this.incarnation = incarnation;
        this.training = training;
    }

    /** What a follower has done; each call returns soon. */
    interface Training {
        void begin(RunPlanned planned, TrainerShare share, RunSignals signals);

        /**
         * The ranks of a further node of its worker run here.
         *
         * @param rank of this node, from 1
         */
        void serve(RunPlanned planned, TrainerShare share, int rank);

        /** They run here no longer. */
        void leave(String runId);

        /** Another process trains it now. */
        void supersede(String runId);

        /** The run has ended. */
        void end(String runId);
    }

    private static final class Known {
        private final RunSignals signals = new RunSignals();
        private @Nullable RunPlanned planned;
        private @Nullable RunAssigned assigned;
        private int trainedUnder;
        private int servedUnder;
    }

    synchronized void accept(Event event) {
        switch (event) {
            case RunEvent run -> accept(run);
            case CheckpointEvent checkpoint -> accept(checkpoint);
            case ContinuationRequested asked ->
                runs.computeIfAbsent(asked.runId(), id -> new Known())
                        .signals
                        .continued(asked.tripId())
                        .complete(asked.reason());
            case Event other -> {}
        }
    }

    private void accept(RunEvent event) {
        Known run = runs.computeIfAbsent(event.runId(), id -> new Known());
        switch (event) {
            case RunPlanned planned -> {
                run.planned = planned;
                decide(run);
            }
            case RunAssigned assigned -> {
                if (run.assigned == null || assigned.epoch() > run.assigned.epoch()) {
                    run.assigned = assigned;
                    run.signals.servedBy(assigned.rollout());
                    decide(run);
                }
            }
            case RunEvent.RunStarted started -> run.signals.started().complete(null);
            case RunEvent.RunStopping stopping -> run.signals.stopping().complete(stopping.reason());
            case RunEvent.RunSucceeded succeeded -> ended(event.runId(), run);
            case RunEvent.RunFailed failed -> ended(event.runId(), run);
            case RunEvent.RunCancelled cancelled -> ended(event.runId(), run);
            // The same runId with other content: the run itself goes on.
            case RunEvent.RunRejected rejected -> {}
            case RunEvent.RunQueued queued -> {}
        }
    }

    private void accept(CheckpointEvent event) {
        if (event instanceof CheckpointEvent.CheckpointConverted converted) {
            runs.computeIfAbsent(event.runId(), id -> new Known())
                    .signals
                    .converted()
                    .complete(converted.torchDist());
        }
    }

    private void decide(Known run) {
        if (run.planned == null || run.assigned == null || run.signals.ended().isDone()) {
            return;
        }
        TrainerShare share = run.assigned.trainer();
        decideNode(run, share);
        boolean ours =
                share.instanceId().equals(instanceId) && share.incarnation().equals(incarnation);
        String runId = run.planned.runId();
        if (run.trainedUnder > 0 && (!ours || share.trainerEpoch() != run.trainedUnder)) {
            LOG.info("the run is another trainer's now runId={} instanceId={}", runId, share.instanceId());
            training.supersede(runId);
            run.trainedUnder = 0;
        }
        if (ours && run.trainedUnder == 0) {
            run.trainedUnder = share.trainerEpoch();
            LOG.info("assigned runId={} epoch={}", runId, share.trainerEpoch());
            training.begin(run.planned, share, run.signals);
        }
    }

    private void decideNode(Known run, TrainerShare share) {
        int rank = 0;
        for (int i = 0; i < share.others().size(); i++) {
            TrainerNode node = share.others().get(i);
            if (node.instanceId().equals(instanceId) && node.incarnation().equals(incarnation)) {
                rank = i + 1;
            }
        }
        if (run.servedUnder > 0 && (rank == 0 || share.trainerEpoch() != run.servedUnder)) {
            run.servedUnder = 0;
            training.leave(run.planned.runId());
        }
        if (rank > 0 && run.servedUnder == 0) {
            run.servedUnder = share.trainerEpoch();
            LOG.info("assigned as a node runId={} epoch={} node={}", run.planned.runId(), run.servedUnder, rank);
            training.serve(run.planned, share, rank);
        }
    }

    private void ended(String runId, Known run) {
        run.signals.ended().complete(null);
        if (run.trainedUnder > 0) {
            run.trainedUnder = 0;
            training.end(runId);
        }
        if (run.servedUnder > 0) {
            run.servedUnder = 0;
            training.leave(runId);
        }
    }

    synchronized Optional<RunSignals> signals(String runId) {
        return Optional.ofNullable(runs.get(runId)).map(run -> run.signals);
    }
}
