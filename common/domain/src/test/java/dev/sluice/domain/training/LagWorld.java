package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;

import dev.sluice.events.Event;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;

/**
 * Engines that fail at nothing but are slow at times, around the real {@link TrainingState}: some groups take as long as several
 * steps, engines load new weights when they like, and go on with begun samples or begin them anew. Nothing here knows the capacity
 * rule: each move checks what it promises.
 */
final class LagWorld {
    private static final int MOST_MOVES = 20_000;

    private final Random random;
    private final TrainingRules rules;
    private final boolean continues;
    private final int slots;
    private final TrainingState state;
    private final int[] engines;
    private final List<Held> held = new ArrayList<>();
    private final Set<GroupAsk> known = new HashSet<>();
    private final List<GroupUse> uses = new ArrayList<>();
    private final List<GroupDrop> drops = new ArrayList<>();
    private int offset;
    private int version;

    /** A group on an engine, with the versions that its tokens have so far. */
    private record Held(GroupAsk ask, int engine, List<Integer> versions, boolean slow) {}

    LagWorld(long seed) {
        // Scattered: seeds in a row would begin with nearly the same numbers.
        this.random = new Random(seed * 0x9E3779B97F4A7C15L);
        this.rules = new TrainingRules(
                RUN,
                1 + random.nextInt(12),
                1 + random.nextInt(5),
                2,
                1 + random.nextInt(4),
                random.nextInt(4),
                random.nextInt(7),
                1 + random.nextInt(3),
                DynamicFilter.NONE,
                StaleSamples.values()[random.nextInt(3)]);
        this.continues = random.nextBoolean();
        this.slots = 1 + random.nextInt(30);
        this.engines = new int[1 + random.nextInt(4)];
        this.state = TrainingState.from(rules, Cut.START);
        publish(0, 0);
    }

    TrainingRules rules() {
        return rules;
    }

    List<GroupUse> uses() {
        return uses;
    }

    List<GroupDrop> drops() {
        return drops;
    }

    /** Plays the run to its end. */
    void play() {
        for (int move = 0; state.completedStep() < rules.steps(); move++) {
            require(move < MOST_MOVES, "stalled with %d of %d steps".formatted(state.completedStep(), rules.steps()));
            ask();
            switch (random.nextInt(4)) {
                case 0 -> loadWeights(random.nextInt(engines.length));
                case 1 -> step();
                default -> finishSome();
            }
        }
        state.decideClosing().ifPresent(closing -> drops.addAll(closing.dropped()));
    }

    private void ask() {
        Optional<GroupAsk> ask = state.decideAsk(slots);
        while (ask.isPresent()) {
            state.apply(ask.get());
            ask = state.decideAsk(slots);
        }
        List<GroupAsk> running = state.running();
        long most = (long) (rules.maxPolicyLag() + 1) * rules.groupsPerVersion() + rules.oversample();
        long sinceVersion =
                (long) state.formedStep() * rules.groupsPerStep() - (long) version * rules.groupsPerVersion();
        require(
                state.ready() + running.size() + sinceVersion <= most,
                "%d ready, %d running and %d trained since version %d are more than %d"
                        .formatted(state.ready(), running.size(), sinceVersion, version, most));
        for (GroupAsk asked : running) {
            int engine = random.nextInt(engines.length);
            boolean fits = engines[engine] >= asked.minimumVersion();
            if (!known.contains(asked) && fits) {
                known.add(asked);
                held.add(new Held(asked, engine, new ArrayList<>(List.of(engines[engine])), random.nextInt(6) == 0));
            }
        }
    }

    private void loadWeights(int engine) {
        engines[engine] = version;
        for (Held group : List.copyOf(held)) {
            if (group.engine() == engine && group.versions().getLast() < version) {
                // Begun tokens that break the bound are begun anew: the instance keeps it.
                if (!continues || group.versions().getFirst() < group.ask().minimumVersion()) {
                    group.versions().clear();
                }
                group.versions().add(version);
            }
        }
    }

    private void finishSome() {
        for (Held group : List.copyOf(held)) {
            if (random.nextInt(group.slow() ? 60 : 4) == 0) {
                held.remove(group);
                int[] versions =
                        group.versions().stream().mapToInt(Integer::intValue).toArray();
                apply(Groups.spanned(group.ask().cursor(), group.ask().round(), versions, 1, 0));
            }
        }
    }

    private void step() {
        if (random.nextInt(3) == 0) {
            return; // the worker is busy
        }
        state.decideBatch().ifPresent(draft -> {
            apply(new BatchFormed(
                    RUN, 1, draft.step(), draft.groups(), draft.dropped(), draft.cursorNext(), version, ""));
            drops.addAll(draft.dropped());
            draft.groups().forEach(use -> {
                uses.add(use);
                checkAge(use);
            });
            boolean due = draft.step() % rules.stepsPerVersion() == 0;
            int next = due ? version + 1 : version;
            apply(new StepCompleted(RUN, 1, draft.step(), next, draft.step(), 1, 0, List.of(), Map.of()));
            if (due) {
                publish(next, draft.step());
            }
            state.forgetUpTo(draft.step());
        });
    }

    private void checkAge(GroupUse use) {
        boolean old = use.policyLag() > rules.maxPolicyLag();
        require(!old || rules.staleSamples() != StaleSamples.DROP, "older than the run allows: " + use);
        state.resultsOf(List.of(use))
                .forEach(group -> group.samples().forEach(sample -> {
                    for (int token = 0; token < sample.tokens().length(); token++) {
                        int lag = version - sample.versions().get(token).version();
                        boolean trained = sample.lossMask().get(token) != 0;
                        boolean within = lag <= rules.maxPolicyLag();
                        require(lag <= use.policyLag(), "of a lag that is not recorded: " + use);
                        require(
                                trained == (within || rules.staleSamples() == StaleSamples.CORRECT),
                                "token %d of lag %d is %s: %s"
                                        .formatted(token, lag, trained ? "trained" : "masked", use));
                    }
                }));
    }

    private void publish(int next, int step) {
        version = next;
        apply(new WeightsPublished(RUN, 1, next, step, Transport.DISK, "dir", "sha", null));
    }

    private void apply(Event event) {
        state.apply(new LogEntry<>(event, "e" + offset, 0, offset++));
    }

    private void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError("%s; %s, %d slots, %d engines, %s"
                    .formatted(otherwise, rules, slots, engines.length, continues ? "continued" : "begun anew"));
        }
    }
}
