package dev.sluice.events;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The life of engines, written by the rollout instance that supervises them. */
public sealed interface EngineEvent extends Event {

    String engineId();

    String instanceId();

    @Override
    default String key() {
        return engineId();
    }

    @About("An engine process was started")
    record EngineStarted(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine; another one each start") String engineId,
            @About("Its instance") String instanceId,
            @About("HTTP port on the instance's host") int port,

            @About("Process id; 0 where its instance did not start it")
            long pid,

            @About("Which node of the engine this process is, from 0; one engine has one id on all its nodes")
            int node,

            @About("Where the processes of the other nodes join it; absent where there are none") @Nullable
            Meeting meeting)
            implements EngineEvent {
        /** The only process of its engine. */
        public EngineStarted(String runId, int epoch, String engineId, String instanceId, int port, long pid) {
            this(runId, epoch, engineId, instanceId, port, pid, 0, null);
        }
    }

    @About("What the other nodes of an engine need to join its first")
    record Meeting(
            @About("Epoch of the assignment that brought the instances together; another one is not meant")
            int formed,

            @About("Host and port of node 0 (--dist-init-addr), new with each start")
            String address,

            @About("The plan's arguments that node 0 was started with: all take the same")
            List<String> args) {
        public Meeting {
            args = args == null ? List.of() : List.copyOf(args);
        }
    }

    @About("An engine answers and holds a weight version: it takes work")
    record EngineReady(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,
            @About("Incarnation of its instance") String incarnation,
            @About("Weight version it holds") int weightVersion,
            @About("Samples it runs at once") int maxRunningRequests,
            @About("Seconds from start to ready") double seconds)
            implements EngineEvent {}

    @About("An engine has loaded and verified a weight version")
    record WeightsLoaded(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,
            @About("The version") int version,
            @About("Seconds it took no work") double seconds,
            @About("What was checked") List<String> verified)
            implements EngineEvent {}

    @About("When an engine generated since its last report of this kind, as its instance saw it")
    record EngineWorked(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,

            @About("Times in which it had samples to generate and no weights to load, oldest first")
            List<TimeSpan> generating)
            implements EngineEvent {
        public EngineWorked {
            generating = List.copyOf(generating);
        }
    }

    @About("An engine is not trusted any more and will be replaced")
    record EngineUnhealthy(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,
            @About("Why") String reason)
            implements EngineEvent {}

    @About("What an engine holds or accepts is off: it takes no more work and will be replaced")
    record EngineQuarantined(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,

            @About("Weight version that it was asked to hold")
            int weightVersion,

            @About("What is off") String reason,

            @About("The figures that were compared, by name")
            Map<String, String> figures)
            implements EngineEvent {
        public EngineQuarantined {
            figures = figures == null ? Map.of() : Map.copyOf(figures);
        }
    }

    @About("An engine's next start takes other arguments than its plan's")
    record EngineFellBack(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine that went before") String engineId,
            @About("Its instance") String instanceId,

            @About("What is different from now on; empty where nothing is left to try") @Nullable
            String difference,

            @About("Why") String reason,

            @About("Fallbacks of the plan that are in use") int fallback,
            @About("Fallbacks that the plan has") int fallbacks)
            implements EngineEvent {}

    @About("An engine process has ended; an engine of several nodes ends with any of them")
    record EngineStopped(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,
            @About("Why") String reason,
            @About("Exit code, where known") @Nullable Integer exitCode,
            @About("Its last lines of output") List<String> lastLines,

            @About("Which node of the engine it was, from 0")
            int node)
            implements EngineEvent {
        /** Node 0. */
        public EngineStopped(
                String runId,
                int epoch,
                String engineId,
                String instanceId,
                String reason,
                @Nullable Integer exitCode,
                List<String> lastLines) {
            this(runId, epoch, engineId, instanceId, reason, exitCode, lastLines, 0);
        }
    }

    @About(
            "All engines of a run on an instance do what the phase asks, or have ended; said again when one of them then waits for weights")
    record PhaseReached(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The instance") String instanceId,
            @About("Incarnation of the instance") String incarnation,

            @About("Number of the PhaseChanged that it answers; 0 before the first")
            int number,

            @About("Its engines with a process, in the order of their GPUs")
            List<EnginePlace> engines)
            implements EngineEvent {
        public PhaseReached {
            engines = engines == null ? List.of() : List.copyOf(engines);
        }

        /** It is of all engines. */
        @Override
        public String engineId() {
            return instanceId;
        }
    }

    @About("Where a worker reaches an engine")
    record EnginePlace(
            @About("The engine") String engineId,

            @About("Base URL of its HTTP API, as the worker's host reaches it")
            String address,

            @About("GPUs, which are its ranks of a process group of weights")
            int ranks,

            @About(
                    "It holds no weights that it may serve, and no files that it could load: the worker is to put them there")
            boolean lacksWeights) {}
}
