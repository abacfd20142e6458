package dev.sluice.rollout.engine;

import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.weights.WeightVersions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Stream;

/** The engines of one run on this instance. Used on the core's thread. */
public final class EnginePool {
    /** What all engines of a run share. */
    public record Surroundings(
            Core core,
            EngineLauncher launcher,
            EngineReports reports,
            WeightVersions weights,
            EngineWork work,
            EngineDeadlines deadlines) {}

    private final Surroundings around;
    private final Supplier<String> engineIds;
    private final List<EngineSlot> slots = new ArrayList<>();
    private final List<CompletableFuture<Void>> closing = new ArrayList<>();

    /** @param engineIds a new engine id each call */
    public EnginePool(Surroundings around, Supplier<String> engineIds) {
        this.around = around;
        this.engineIds = engineIds;
    }

    /** Runs exactly the engines of this share; those that run already go on and are announced under its epoch. */
    public void serve(Share share) {
        around.reports().epoch(share.epoch());
        slots.forEach(EngineSlot::announceAgain);
        while (slots.size() > share.engines()) {
            closing.add(slots.removeLast().close("assignment " + share.epoch() + " asks for fewer engines"));
        }
        while (slots.size() < share.engines()) {
            EngineSlot slot = new EngineSlot(around, engineIds, share, gpusOf(share, slots.size()));
            slots.add(slot);
            slot.launch();
        }
    }

    private static List<Integer> gpusOf(Share share, int slot) {
        int each = share.gpus().size() / share.engines();
        return share.gpus().subList(slot * each, (slot + 1) * each);
    }

    /** Engines in all states, newest of each slot. */
    public Stream<Engine> engines() {
        return slots.stream().flatMap(slot -> slot.engine().stream());
    }

    /** Lets every engine move towards the newest weight version, as far as it may now. */
    public void reconcile() {
        slots.forEach(EngineSlot::reconcile);
    }

    /** Says that the engines hold version 0 already. */
    public void acknowledgeSource() {
        slots.forEach(EngineSlot::acknowledgeSource);
    }

    /** A call to an engine failed in a way that throws doubt on it. */
    public void suspect(Engine engine, String reason) {
        slots.stream()
                .filter(slot -> slot.engine().filter(engine::equals).isPresent())
                .forEach(slot -> slot.suspected(engine, reason));
    }

    /** An engine cannot be trusted any more. */
    public void replace(Engine engine, String reason) {
        slots.stream()
                .filter(slot -> slot.engine().filter(engine::equals).isPresent())
                .forEach(slot -> slot.unhealthy(engine, reason));
    }

    /** Ends all engines in order; ends itself when the last one has. */
    public CompletableFuture<Void> close(String reason) {
        while (!slots.isEmpty()) {
            closing.add(slots.removeLast().close(reason));
        }
        return CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new));
    }
}
