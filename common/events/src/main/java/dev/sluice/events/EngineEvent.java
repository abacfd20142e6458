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
            long pid)
            implements EngineEvent {}

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

    @About("An engine process has ended")
    record EngineStopped(
            @About("The run") String runId,
            @About("Epoch of the assignment") int epoch,
            @About("The engine") String engineId,
            @About("Its instance") String instanceId,
            @About("Why") String reason,
            @About("Exit code, where known") @Nullable Integer exitCode,
            @About("Its last lines of output") List<String> lastLines)
            implements EngineEvent {}
}
