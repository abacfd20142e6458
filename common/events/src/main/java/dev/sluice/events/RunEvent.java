package dev.sluice.events;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** The life of a run, written by the active planner alone. */
public sealed interface RunEvent extends Event {

    @About("The request is valid and this is how it will run")
    record RunPlanned(
            @About("The run") String runId,

            @About("Hash of the canonical request: the same runId with another hash is rejected")
            String requestSha256,

            @About("The request with every default filled in")
            TrainingRequest request,

            @About("The plan") Plan plan)
            implements RunEvent {}

    @About("The request cannot run; every problem is listed")
    record RunRejected(
            @About("The run") String runId,
            @About("Every problem with its mend") List<Problem> problems) implements RunEvent {}

    @About("The run waits for instances")
    record RunQueued(
            @About("The run") String runId,
            @About("What is missing") String reason,

            @About("Its place among the runs that wait, from 1; 0 where it is not known")
            int position)
            implements RunEvent {
        public RunQueued(String runId, String reason) {
            this(runId, reason, 0);
        }
    }

    @About("Instances serve the run from now on, exactly as said here; a higher epoch replaces a lower one")
    record RunAssigned(
            @About("The run") String runId,
            @About("One more each time") int epoch,
            @About("The trainer") TrainerShare trainer,
            @About("The rollout instances") List<RolloutShare> rollout,
            @About("Why the run was assigned (again)") String reason)
            implements RunEvent {}

    @About("The trainer of a run")
    record TrainerShare(
            @About("Instance id") String instanceId,

            @About("The instance's process: another incarnation is not meant")
            String incarnation,

            @About("Epoch under which this process trains the run; kept when only the pool changes")
            int trainerEpoch,

            @About("GPU indexes of this instance that the worker gets, empty on cpu")
            List<Integer> gpus,

            @About("Host under which the worker's other nodes reach this one; absent where it lies on one node")
            @Nullable
            String host,

            @About(
                    "Instances of the worker's other nodes, in the order of their rank from 1; none where it lies on one")
            List<TrainerNode> others) {
        public TrainerShare {
            // Assignments of this version's first months leased no GPUs to trainers.
            gpus = gpus == null ? List.of() : List.copyOf(gpus);
            others = others == null ? List.of() : List.copyOf(others);
        }

        /** A worker without GPUs. */
        public TrainerShare(String instanceId, String incarnation, int trainerEpoch) {
            this(instanceId, incarnation, trainerEpoch, List.of(), null, List.of());
        }
    }

    @About("An instance that starts the ranks of one further node of a worker")
    record TrainerNode(
            @About("Instance id") String instanceId,

            @About("The instance's process: another incarnation is not meant")
            String incarnation,

            @About("GPU indexes of this instance that the worker gets")
            List<Integer> gpus) {
        public TrainerNode {
            gpus = gpus == null ? List.of() : List.copyOf(gpus);
        }
    }

    @About("What one rollout instance gives to a run")
    record RolloutShare(
            @About("Instance id") String instanceId,

            @About("The instance's process: another incarnation is not meant")
            String incarnation,

            @About("Engines to run") int engines,
            @About("GPU indexes, empty on cpu") List<Integer> gpus,

            @About("Its place in an engine that spans several nodes; absent where engines lie on one") @Nullable
            EngineNode node) {
        /** Whole engines. */
        public RolloutShare(String instanceId, String incarnation, int engines, List<Integer> gpus) {
            this(instanceId, incarnation, engines, gpus, null);
        }
    }

    @About(
            "The place of an instance in an engine that spans several nodes; formed and head name the engine's instances")
    record EngineNode(
            @About("Epoch of the assignment that brought these instances together")
            int formed,

            @About("Instance of node 0, which answers requests and says where the others meet it")
            String head,

            @About("Rank of this node, from 0") int rank,
            @About("Nodes of the engine") int nodes) {}

    @About("Trainer and engines are ready: training begins")
    record RunStarted(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch) implements RunEvent {}

    @About("The run ends early: no new work is taken")
    record RunStopping(
            @About("The run") String runId, @About("Why") String reason) implements RunEvent {}

    @About("All steps are trained and the final checkpoint is exported")
    record RunSucceeded(
            @About("The run") String runId,
            @About("Steps trained") int steps,

            @About("Final torch_dist checkpoint; the model's own directory where nothing was trained")
            String torchDist,

            @About("Final Hugging Face checkpoint; the model's own directory where nothing was trained")
            String huggingFace)
            implements RunEvent {}

    @About("The run cannot go on")
    record RunFailed(
            @About("The run") String runId,
            @About("Why, and what to do") String reason,

            @About("The newest cut, from which the run can be resumed") @Nullable
            String lastCheckpoint)
            implements RunEvent {}

    @About("The run was ended by a client")
    record RunCancelled(
            @About("The run") String runId, @About("Why") String reason) implements RunEvent {}
}
