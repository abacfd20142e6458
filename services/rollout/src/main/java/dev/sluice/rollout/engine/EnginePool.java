package dev.sluice.rollout.engine;

import dev.sluice.events.EngineEvent;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.rollout.assignment.Share;
import dev.sluice.rollout.assignment.Share.Node;
import dev.sluice.rollout.core.Core;
import dev.sluice.rollout.weights.WeightVersions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The engines of one run on this instance. Used on the core's thread. */
public final class EnginePool {
    /** What all engines of a run share. */
    public record Surroundings(
            Core core,
            EngineLauncher launcher,
            EngineReports reports,
            WeightVersions weights,
            RunPhases phases,
            EngineWork work,
            EngineDeadlines deadlines) {}

    private static final Logger LOG = LoggerFactory.getLogger(EnginePool.class);

    private final Surroundings around;
    private final Supplier<String> engineIds;
    private final List<EngineSlot> slots = new ArrayList<>();
    private final List<CompletableFuture<Void>> closing = new ArrayList<>();
    private final Siblings comparison = new Comparison();
    private final PhaseAnswers answers;
    /** The newest is in use; those before it are ending. */
    private final List<FollowingSlot> following = new ArrayList<>();

    private @Nullable Node node;
    private boolean served;
    private boolean closed;

    /** @param engineIds a new engine id each call */
    public EnginePool(Surroundings around, Supplier<String> engineIds) {
        this.around = around;
        this.engineIds = engineIds;
        this.answers = new PhaseAnswers(
                around,
                () -> slots.stream().flatMap(slot -> slot.life().stream()),
                () -> closing.stream().anyMatch(end -> !end.isDone()));
    }

    /**
     * Runs exactly the engines of this share; those that run already go on and are announced under its epoch. An engine of
     * several nodes goes on only with the same instances.
     *
     * @param started engines of several nodes that other instances have started and that have not ended
     */
    public void serve(Share share, List<EngineStarted> started) {
        around.reports().epoch(share.epoch());
        served = true;
        if (Objects.equals(node, share.node())) {
            lives(EngineLife::announceAgain);
            fill(share);
            phasesMayBeReached();
            return;
        }
        node = share.node();
        // They have the same GPUs.
        close("assignment " + share.epoch() + " forms its engine anew").thenRun(() -> {
            if (Objects.equals(node, share.node()) && !closed) {
                begin(share, started);
                phasesMayBeReached();
            }
        });
    }

    /** A phase: engines do what it asks, and those that waited for it with their start are started. */
    public void changed(PhaseChanged phase) {
        if (!around.phases().changed(phase)) {
            return;
        }
        reconcile();
        List.copyOf(slots).forEach(EngineSlot::launchWaiting);
        phasesMayBeReached();
    }

    private void phasesMayBeReached() {
        if (served && !closed) {
            answers.check();
        }
    }

    private void begin(Share share, List<EngineStarted> started) {
        if (share.node() != null && share.node().follows()) {
            following.add(new FollowingSlot(around, comparison, share, share.node()));
            started.forEach(this::heard);
        } else {
            fill(share);
        }
    }

    private void fill(Share share) {
        if (node != null && node.follows()) {
            return;
        }
        while (slots.size() > share.engines()) {
            closing.add(slots.removeLast().close("assignment " + share.epoch() + " asks for fewer engines"));
        }
        while (slots.size() < share.engines()) {
            EngineSlot slot = new EngineSlot(around, comparison, engineIds, share, gpusOf(share, slots.size()));
            slots.add(slot);
            slot.launch();
        }
    }

    /** What another instance says of its process of an engine. */
    public void heard(EngineEvent event) {
        switch (event) {
            case EngineStarted started -> {
                following.forEach(slot -> slot.started(started));
                slotOf(started.engineId()).ifPresent(slot -> slot.nodeStarted(started.node()));
            }
            case EngineStopped stopped -> {
                String why =
                        "node %d on %s ended: %s".formatted(stopped.node(), stopped.instanceId(), stopped.reason());
                following.forEach(slot -> slot.stopped(stopped.engineId(), why));
                slotOf(stopped.engineId()).ifPresent(slot -> slot.nodeStopped(why));
            }
            default -> {}
        }
    }

    private Optional<EngineSlot> slotOf(String engineId) {
        return slots.stream()
                .filter(slot -> slot.life()
                        .filter(life -> life.engine().id().equals(engineId))
                        .isPresent())
                .findFirst();
    }

    private static List<Integer> gpusOf(Share share, int slot) {
        int each = share.gpus().size() / share.engines();
        return share.gpus().subList(slot * each, (slot + 1) * each);
    }

    private void lives(Consumer<EngineLife> action) {
        List.copyOf(slots).forEach(slot -> slot.life().ifPresent(action));
    }

    private void lifeOf(Engine engine, Consumer<EngineLife> action) {
        List.copyOf(slots).stream()
                .filter(slot -> slot.has(engine))
                .forEach(slot -> slot.life().ifPresent(action));
    }

    /** Engines in all states, newest of each slot. */
    public Stream<Engine> engines() {
        return slots.stream().flatMap(slot -> slot.life().stream()).map(EngineLife::engine);
    }

    /** Lets every engine move towards the newest weight version, as far as it may now. */
    public void reconcile() {
        lives(EngineLife::reconcile);
    }

    /** Says that the engines hold version 0 already. */
    public void acknowledgeSource() {
        lives(EngineLife::acknowledgeSource);
    }

    /** A call to an engine failed in a way that throws doubt on it. */
    public void suspect(Engine engine, String reason) {
        lifeOf(engine, life -> life.suspected(reason));
    }

    /** An engine cannot be trusted any more. */
    public void replace(Engine engine, String reason) {
        lifeOf(engine, life -> life.unhealthy(reason));
    }

    /** Ends all engines in order and starts no other; ends itself when the last one has. */
    public CompletableFuture<Void> end(String reason) {
        closed = true;
        return close(reason);
    }

    private CompletableFuture<Void> close(String reason) {
        while (!slots.isEmpty()) {
            closing.add(slots.removeLast().close(reason));
        }
        following.forEach(slot -> closing.add(slot.close(reason)));
        return CompletableFuture.allOf(closing.toArray(CompletableFuture[]::new));
    }

    /** What the engines of a run say about each other. */
    private final class Comparison implements Siblings {
        private final Map<Boolean, ChecksumVotes> votes = Map.of(true, new ChecksumVotes(), false, new ChecksumVotes());
        private final DraftJudge drafts = new DraftJudge();
        private @Nullable String draftsLose;
        private @Nullable EngineSlot restarted;

        @Override
        public boolean several() {
            return slots.size() > 1;
        }

        @Override
        public void summed(Engine engine, int version, String sum) {
            engine.sum(version, sum);
            boolean drafting = slots.stream().anyMatch(slot -> slot.has(engine) && slot.isDrafting());
            // A draft's weights are part of the fingerprint, so engines with and without one are two kinds.
            List<EngineLife> alike = slots.stream()
                    .filter(slot -> slot.isDrafting() == drafting)
                    .flatMap(slot -> slot.life().stream())
                    .toList();
            ChecksumVotes.Standing standing = votes.get(drafting).vote(version, sum);
            boolean open =
                    alike.stream().anyMatch(life -> life.engine().sum(version).isEmpty());
            if (standing.tied() && open) {
                return; // another engine's load decides
            }
            alike.forEach(life -> compare(life, version, standing.sum()));
        }

        private void compare(EngineLife life, int version, String expected) {
            String found = life.engine().sum(version).orElse(expected);
            if (!found.equals(expected) && life.engine().state().holds(version)) {
                life.quarantine(
                        version,
                        "its weights are not those that others loaded for this version",
                        Map.of("checksum", found, "checksumOfTheOthers", expected));
            }
        }

        @Override
        public void drafted(Engine engine, DraftCounts window) {
            String before =
                    drafts.baseline().isPresent() ? figure(drafts.baseline().getAsDouble()) : "unknown";
            String now = figure(window.acceptLength());
            switch (drafts.judge(window.acceptLength())) {
                case PAYS -> {}
                case FELL -> {
                    String reason = "a verification brings %s tokens; it was %s before".formatted(now, before);
                    Map<String, String> figures = Map.of(
                            "acceptLength", now,
                            "acceptLengthBefore", before,
                            "verifications", Long.toString(window.verifications()));
                    lifeOf(
                            engine,
                            life -> life.quarantine(engine.state().served().orElse(0), reason, figures));
                }
                case LOSES -> {
                    draftsLose = "a verification brings %s tokens; below %s drafts cost more than they bring"
                            .formatted(now, DraftJudge.BREAK_EVEN);
                    LOG.warn("speculation is switched off error={}", draftsLose);
                    restartNext();
                }
            }
        }

        private static String figure(double acceptLength) {
            return "%.2f".formatted(acceptLength);
        }

        @Override
        public void moved() {
            phasesMayBeReached();
        }

        @Override
        public void ready() {
            restartNext();
        }

        /** One after another, so that the run is never without engines that it has. */
        private void restartNext() {
            if (draftsLose == null || restarted != null && !restarted.isSettled()) {
                return;
            }
            String reason = draftsLose;
            slots.stream()
                    .filter(slot -> slot.drafts() && slot.isSettled())
                    .findFirst()
                    .ifPresent(slot -> {
                        restarted = slot;
                        slot.restartWithoutDrafts(reason);
                    });
        }

        @Override
        public Optional<String> draftsLose() {
            return Optional.ofNullable(draftsLose);
        }
    }
}
