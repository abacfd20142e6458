package dev.sluice.trainer.handover;

import dev.sluice.domain.training.TrainingState;
import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.Event;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.trainer.dispatch.GroupFlow;
import dev.sluice.trainer.dispatch.RolloutPool;
import dev.sluice.trainer.wait.RunWait;
import dev.sluice.trainer.wait.WaitOverdueException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells engines what to do with their GPUs, and waits until they do. */
final class Phases implements AutoCloseable {
    /** An instance that falls silent, or that another takes the place of, wakes nobody. */
    private static final Duration LOOK_AGAIN = Duration.ofMillis(500);

    private static final Logger LOG = LoggerFactory.getLogger(Phases.class);

    private final Means means;
    private final GroupFlow flow;

    Phases(Means means) {
        this.means = means;
        this.flow = means.flow();
    }

    /** Waits look again whenever an instance or engine says something. */
    void listen() {
        means.pool().listen(this, flow::wake);
    }

    static Optional<PhaseChanged> newest(GroupFlow flow) {
        return flow.look(TrainingState::phase);
    }

    Optional<PhaseChanged> newest() {
        return newest(flow);
    }

    boolean isIn(Phase phase) {
        return newest().filter(last -> last.phase() == phase).isPresent();
    }

    /**
     * Writes down what engines are to do from now on.
     *
     * @param engines that were given the newest version
     * @param further events of the same transaction
     */
    void change(Phase phase, List<String> engines, List<Event> further) {
        if (phase != Phase.GENERATE) {
            flow.standStill();
        }
        int number = newest().map(PhaseChanged::number).orElse(0) + 1;
        List<Event> events = new ArrayList<>(further);
        PhaseChanged changed =
                new PhaseChanged(means.run().runId(), means.run().epoch(), number, phase, means.version(), engines);
        events.add(changed);
        means.journal().append(events, null);
        LOG.info(
                "phase runId={} number={} phase={} weightVersion={} engines={}",
                changed.runId(),
                number,
                phase,
                changed.weightVersion(),
                engines);
        if (phase == Phase.GENERATE) {
            flow.goOn();
        }
    }

    private Muster muster() {
        return Muster.of(
                means.pool(),
                means.run().runId(),
                means.signals().rollout(),
                newest().map(PhaseChanged::number).orElse(0));
    }

    /** Whether an engine waits for the worker to give it weights. */
    boolean isLacking() {
        return muster().isLacking(now(), silence());
    }

    /**
     * Waits until engines do what the phase asks, where they share GPUs with training.
     *
     * @return engines that do, in the order of their GPUs
     * @throws WaitOverdueException if one of them may still hold memory after the bound
     * @throws GpusKeptException the same while the run is being cancelled, which has a bound of its own
     */
    List<EnginePlace> awaitAll() throws InterruptedException {
        String engines =
                "engines in phase " + newest().map(last -> name(last.phase())).orElse("none");
        Duration lastBound = means.config().waits().lastHandOver();
        Instant patience = now().plus(lastBound);
        means.waits()
                .await(
                        RunWait.HAND_OVER,
                        engines,
                        () -> situation(muster().holding()),
                        means.config().waits().handOver(),
                        time -> within(
                                () -> muster().holding().isEmpty() || isStopping() && !now().isBefore(patience), time));
        Muster come = muster();
        if (isStopping() && !come.holding().isEmpty()) {
            throw new GpusKeptException(
                    "%s did not come within %s: %s".formatted(engines, lastBound, come.situation(come.holding())));
        }
        return come.engines();
    }

    private boolean isStopping() {
        return means.signals().stopping().isDone();
    }

    /** Waits until engines stand still for weights, for a while: who has not come then, or when the run is cancelled, is left out. */
    List<EnginePlace> awaitReceivers() throws InterruptedException {
        Duration bound = means.config().waits().receivers();
        Instant deadline = now().plus(bound);
        means.waits()
                .await(
                        RunWait.RECEIVERS,
                        "",
                        () -> situation(muster().late(now(), silence())),
                        bound,
                        time -> within(
                                        () -> muster().late(now(), silence()).isEmpty()
                                                || isStopping()
                                                || !now().isBefore(deadline),
                                        time)
                                || !now().isBefore(deadline));
        List<String> late = muster().late(now(), silence());
        if (!late.isEmpty()) {
            LOG.warn(
                    "weights go to those engines that stand still runId={} leftOut={} bound={} cancelled={}",
                    means.run().runId(),
                    late,
                    bound,
                    isStopping());
        }
        return muster().engines();
    }

    /** Waits, before anything takes the GPUs, until all engines of the plan have started on them. */
    void awaitEngines() throws InterruptedException {
        int wanted = means.run().plan().rollout().engines();
        means.waits()
                .await(
                        RunWait.ENGINES,
                        "",
                        () -> "%d of %d engines are ready".formatted(ready(), wanted),
                        means.config().waits().engines(),
                        time -> within(() -> ready() >= wanted || isStopping(), time));
    }

    private int ready() {
        return means.pool().members(means.run().runId(), now(), silence()).stream()
                .mapToInt(RolloutPool.Member::engines)
                .sum();
    }

    private String situation(List<String> missing) {
        return muster().situation(missing);
    }

    private boolean within(BooleanSupplier condition, Duration time) throws InterruptedException {
        long end = System.nanoTime() + time.toNanos();
        while (true) {
            Duration left = Duration.ofNanos(Math.max(0, end - System.nanoTime()));
            if (flow.await(condition, left.compareTo(LOOK_AGAIN) < 0 ? left : LOOK_AGAIN)) {
                return true;
            }
            if (left.isZero()) {
                return false;
            }
        }
    }

    private Instant now() {
        return means.clock().instant();
    }

    private Duration silence() {
        return means.config().leases().heartbeat();
    }

    private static String name(Phase phase) {
        return phase.name().toLowerCase(Locale.ROOT);
    }

    @Override
    public void close() {
        means.pool().forget(this);
    }
}
