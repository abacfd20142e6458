package dev.sluice.rollout.engine;

import dev.sluice.events.EngineEvent.EngineFellBack;
import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.EngineEvent.EngineQuarantined;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.EngineEvent.EngineWorked;
import dev.sluice.events.EngineEvent.Meeting;
import dev.sluice.events.EngineEvent.PhaseReached;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.TimeSpan;
import dev.sluice.process.ChildExit;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.core.Publisher;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Says what happens to the engines of one run: as events, as log lines, as figures. */
public final class EngineReports {
    /** When its instance dies, nobody knows what an engine did for at most so long. */
    private static final Duration WORK_PERIOD = Duration.ofSeconds(5);

    private static final Duration WORK_GLANCE = Duration.ofSeconds(1);

    private static final Logger LOG = LoggerFactory.getLogger(EngineReports.class);

    private final String runId;
    private final String instanceId;
    private final String incarnation;
    private final Publisher publisher;
    private final EngineFigures figures;
    private int epoch;

    public EngineReports(
            String runId, String instanceId, String incarnation, Publisher publisher, EngineFigures figures) {
        this.runId = runId;
        this.instanceId = instanceId;
        this.incarnation = incarnation;
        this.publisher = publisher;
        this.figures = figures;
    }

    void epoch(int newest) {
        epoch = newest;
    }

    void moved(Engine engine, EngineState from) {
        figures.state(engine.id(), engine.state());
        LOG.info("engine moved runId={} engineId={} from={} to={}", runId, engine.id(), from.name(), engine.state());
    }

    /** @param meeting where other nodes' processes join it; null where there are none */
    void started(Engine engine, EngineProcess process, @Nullable Meeting meeting) {
        publisher.publish(new EngineStarted(
                runId, epoch, engine.id(), instanceId, process.port(), process.pid(), engine.node(), meeting));
    }

    void ready(Engine engine, int version, Duration sinceLaunch) {
        publisher.publish(new EngineReady(
                runId, epoch, engine.id(), instanceId, incarnation, version, engine.capacity(), seconds(sinceLaunch)));
    }

    void weightsLoaded(Engine engine, int version, Duration withoutWork, List<String> verified) {
        figures.weightsLoaded(withoutWork);
        publisher.publish(
                new WeightsLoaded(runId, epoch, engine.id(), instanceId, version, seconds(withoutWork), verified));
    }

    /** The engines do what a phase asks. */
    void phaseReached(int number, List<EnginePlace> engines) {
        LOG.info("phase is reached runId={} number={} engines={}", runId, number, engines);
        publisher.publish(new PhaseReached(runId, epoch, instanceId, incarnation, number, engines));
    }

    /** Tells every few seconds when the engine generated, and soon when it is idle, until it is dead. */
    void keepReportingWork(Core core, Engine engine) {
        keepReportingWork(core, engine, core.now());
    }

    private void keepReportingWork(Core core, Engine engine, Instant told) {
        core.after(WORK_GLANCE, () -> {
            if (!(engine.state() instanceof EngineState.Dead)) {
                boolean due = engine.running() == 0 || told.plus(WORK_PERIOD).isBefore(core.now());
                if (due) {
                    worked(engine);
                }
                keepReportingWork(core, engine, due ? core.now() : told);
            }
        });
    }

    private void worked(Engine engine) {
        List<TimeSpan> generating = engine.takeGenerating();
        if (!generating.isEmpty()) {
            publisher.publish(new EngineWorked(runId, epoch, engine.id(), instanceId, generating));
        }
    }

    void unhealthy(Engine engine, String reason) {
        figures.trouble("unhealthy");
        LOG.warn("engine is replaced runId={} engineId={} error={}", runId, engine.id(), reason);
        publisher.publish(new EngineUnhealthy(runId, epoch, engine.id(), instanceId, reason));
    }

    void unanswered(Engine engine, Duration since) {
        figures.trouble("unanswered");
        LOG.warn(
                "what runs on an engine is taken back runId={} engineId={} samples={} error=no token moved for {} although it answers a canary",
                runId,
                engine.id(),
                engine.running(),
                since);
    }

    void quarantined(Engine engine, int version, String reason, Map<String, String> compared) {
        figures.trouble("quarantined");
        LOG.warn(
                "engine is quarantined runId={} engineId={} weightVersion={} error={} figures={}",
                runId,
                engine.id(),
                version,
                reason,
                compared);
        publisher.publish(new EngineQuarantined(runId, epoch, engine.id(), instanceId, version, reason, compared));
    }

    /**
     * The next start takes other arguments.
     *
     * @param difference what is different; null where nothing is left to try
     */
    void fellBack(Engine engine, @Nullable String difference, String reason, StartLadder ladder) {
        figures.trouble("fallback");
        LOG.warn(
                "engine falls back runId={} engineId={} difference={} error={}",
                runId,
                engine.id(),
                difference,
                reason);
        publisher.publish(new EngineFellBack(
                runId, epoch, engine.id(), instanceId, difference, reason, ladder.taken(), ladder.rungs()));
    }

    void stopped(Engine engine, String reason, @Nullable ChildExit exit) {
        figures.gone(engine.id());
        worked(engine);
        Integer code =
                exit == null || exit.code().isEmpty() ? null : exit.code().getAsInt();
        LOG.info("engine stopped runId={} engineId={} exit={} reason={}", runId, engine.id(), code, reason);
        publisher.publish(new EngineStopped(
                runId,
                epoch,
                engine.id(),
                instanceId,
                reason,
                code,
                exit == null ? List.of() : exit.lastLines(),
                engine.node()));
    }

    private static double seconds(Duration duration) {
        return duration.toMillis() / 1000.0;
    }
}
