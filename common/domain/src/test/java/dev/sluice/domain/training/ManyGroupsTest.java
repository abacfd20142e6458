package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import dev.sluice.events.Event;
import dev.sluice.events.EventJson;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** A run with 10,000 groups in flight: steps of 5,000 at a lag of 1. */
class ManyGroupsTest {
    private static final int GROUPS = 5000;
    private static final int STEPS = 6;
    private static final int IN_FLIGHT = 2 * GROUPS;
    private static final TrainingRules RULES = new TrainingRules(RUN, STEPS, GROUPS, 1, 1, 1, 0, 1, DynamicFilter.NONE);

    private final TrainingState state = TrainingState.from(RULES, Cut.START);
    private final List<GroupAsk> asked = new ArrayList<>();
    private long offset;

    @Test
    void groupsInFlightTakeLittleMemoryAndThoseThatWereUsedNone() {
        publish(0);
        long before = heap();
        askAll();
        long inFlight = heap() - before;
        assertThat(asked).hasSize(IN_FLIGHT);

        while (state.completedStep() < STEPS) {
            Collections.shuffle(asked, new Random(state.completedStep()));
            while (!state.canForm()) {
                GroupAsk done = asked.removeLast();
                apply(Groups.sampled(done.cursor(), done.round(), state.version(), 1));
            }
            step();
            askAll();
        }
        long after = heap() - before;

        System.out.printf(
                "%,d groups in flight take %,d bytes, %d each; after %,d groups %,d are left%n",
                IN_FLIGHT, inFlight, inFlight / IN_FLIGHT, STEPS * GROUPS, after);
        assertThat(inFlight).isLessThan(1000L * IN_FLIGHT);
        // What is left is the last step: 30,000 groups with their tokens would be ten times as much.
        assertThat(after).isLessThan(2000L * GROUPS);
    }

    /** An event holds 1 MiB. */
    @Test
    void aRunThatEndsEarlyClosesThemInPortionsThatFitAnEvent() throws JsonProcessingException {
        publish(0);
        askAll();

        int closed = 0;
        for (var closing = state.decideClosing(); closing.isPresent(); closing = state.decideClosing()) {
            BatchFormed event = formed(closing.get());
            assertThat(EventJson.mapper().writeValueAsBytes(event)).hasSizeLessThan(EventJson.MAX_BYTES);
            apply(event);
            closed += event.dropped().size();
        }

        assertThat(closed).isEqualTo(IN_FLIGHT);
    }

    private static BatchFormed formed(BatchDraft draft) {
        return new BatchFormed(
                RUN, 1, draft.step(), draft.groups(), draft.dropped(), draft.cursorNext(), draft.weightVersion(), "");
    }

    private void askAll() {
        for (Optional<GroupAsk> ask = state.decideAsk(IN_FLIGHT); ask.isPresent(); ask = state.decideAsk(IN_FLIGHT)) {
            state.apply(ask.get());
            asked.add(ask.get());
        }
    }

    private void step() {
        BatchDraft draft = state.decideBatch().orElseThrow();
        apply(formed(draft));
        assertThat(state.resultsOf(draft.groups())).hasSize(GROUPS);
        apply(new StepCompleted(RUN, 1, draft.step(), draft.step(), draft.step(), 1, 0, List.of(), Map.of()));
        publish(draft.step());
        state.forgetUpTo(draft.step());
    }

    private void publish(int version) {
        apply(new WeightsPublished(RUN, 1, version, version, Transport.DISK, "dir", "sha", null));
    }

    private void apply(Event event) {
        state.apply(new LogEntry<>(event, "e" + offset, 0, offset++));
    }

    private static long heap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }
}
