package dev.sluice.dashboard;

import dev.sluice.events.EngineEvent;
import java.time.Instant;

/**
 * One engine as the page shows it.
 *
 * @param weightVersion the version it holds, -1 while unknown
 * @param loadSeconds how long it took no work for its newest weights
 */
record EngineView(
        String engineId,
        String instanceId,
        String state,
        int weightVersion,
        double loadSeconds,
        String detail,
        Instant since) {

    static EngineView of(EngineEvent event, Instant time) {
        return new EngineView(event.engineId(), event.instanceId(), "starting", -1, 0, "", time).apply(event, time);
    }

    EngineView apply(EngineEvent event, Instant time) {
        return switch (event) {
            case EngineEvent.EngineStarted started ->
                with("starting", weightVersion, loadSeconds, "pid " + started.pid(), time);
            case EngineEvent.EngineReady ready -> with("ready", ready.weightVersion(), loadSeconds, "", time);
            case EngineEvent.WeightsLoaded loaded -> with(state, loaded.version(), loaded.seconds(), "", since);
            case EngineEvent.EngineWorked worked -> this;
            case EngineEvent.PhaseReached reached -> this;
            case EngineEvent.EngineUnhealthy unhealthy ->
                with("unhealthy", weightVersion, loadSeconds, unhealthy.reason(), time);
            case EngineEvent.EngineQuarantined quarantined ->
                with("quarantined", weightVersion, loadSeconds, quarantined.reason(), time);
            case EngineEvent.EngineFellBack fellBack ->
                with(state, weightVersion, loadSeconds, detail(fellBack), since);
            case EngineEvent.EngineStopped stopped ->
                with("stopped", weightVersion, loadSeconds, stopped.reason(), time);
        };
    }

    private static String detail(EngineEvent.EngineFellBack fellBack) {
        return fellBack.difference() == null
                ? fellBack.reason()
                : fellBack.reason() + "; next: " + fellBack.difference();
    }

    boolean ready() {
        return state.equals("ready");
    }

    private EngineView with(String newState, int version, double seconds, String newDetail, Instant time) {
        return new EngineView(engineId, instanceId, newState, version, seconds, newDetail, time);
    }
}
