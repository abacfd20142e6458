package dev.sluice.rollout.engine;

import dev.sluice.events.EngineEvent.EnginePlace;
import dev.sluice.events.WeightEvent.Phase;
import java.util.List;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Says when the engines of a run on this instance do what the newest phase asks, and again when one of them then waits for
 * weights. Used on the core's thread.
 */
final class PhaseAnswers {
    private final EnginePool.Surroundings around;
    private final Supplier<Stream<EngineLife>> lives;
    private final BooleanSupplier othersEnd;
    private Set<String> lackingTold = Set.of();

    /**
     * @param lives the engines, in the order of their GPUs
     * @param othersEnd whether engines that are none of these any more have not ended yet
     */
    PhaseAnswers(EnginePool.Surroundings around, Supplier<Stream<EngineLife>> lives, BooleanSupplier othersEnd) {
        this.around = around;
        this.lives = lives;
        this.othersEnd = othersEnd;
    }

    /** To be called whenever an engine has moved or ended, or another phase was asked for. */
    void check() {
        RunPhases phases = around.phases();
        Set<String> lacking = lives.get()
                .filter(life -> life.engine().state() instanceof EngineState.AwaitingWeights)
                .map(life -> life.engine().id())
                .collect(Collectors.toSet());
        boolean lacksMore = phases.asked() == Phase.GENERATE && !lackingTold.containsAll(lacking);
        boolean due = phases.number() > 0 && !phases.isTold() || lacksMore;
        if (!due
                || phases.needsEveryEngine() && othersEnd.getAsBoolean()
                || lives.get().anyMatch(this::isOnItsWay)) {
            return;
        }
        lackingTold = lacking;
        phases.tell();
        around.reports().phaseReached(phases.number(), places());
    }

    /** Whether an engine is to be waited for. */
    private boolean isOnItsWay(EngineLife life) {
        RunPhases phases = around.phases();
        Engine engine = life.engine();
        Phase asked = phases.asked();
        return switch (engine.state()) {
            case EngineState.Paused paused -> paused.phase() != asked;
            case EngineState.HandingOver handingOver -> true;
            case EngineState.Updating updating -> true;
            case EngineState.Quiescing quiescing -> true;
            case EngineState.AwaitingWeights awaiting -> asked != Phase.GENERATE;
            case EngineState.Ready ready ->
                asked != Phase.GENERATE
                        && (phases.needsEveryEngine() || !around.work().pins(engine, ready.version()));
            case EngineState.Suspect suspect -> asked != Phase.GENERATE;
            // They take long, and have no weights of before that a worker could replace.
            case EngineState.Launching launching -> phases.needsEveryEngine();
            case EngineState.Loading loading -> phases.needsEveryEngine();
            case EngineState.Warming warming -> phases.needsEveryEngine();
            case EngineState.Following following -> false;
            case EngineState.Draining draining -> phases.needsEveryEngine() && !engine.hasEnded();
            case EngineState.Dead dead -> phases.needsEveryEngine() && !engine.hasEnded();
        };
    }

    private List<EnginePlace> places() {
        return lives.get().filter(this::isListed).flatMap(EngineLife::places).toList();
    }

    /** A worker sends to those that stand still alone. */
    private boolean isListed(EngineLife life) {
        Engine engine = life.engine();
        boolean ends = engine.state() instanceof EngineState.Dead || engine.state() instanceof EngineState.Draining;
        boolean stands = engine.state() instanceof EngineState.Paused;
        return engine.hasAddress() && !ends && (stands || around.phases().asked() == Phase.GENERATE);
    }
}
