package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;
import static dev.sluice.domain.training.Groups.abandoned;
import static dev.sluice.domain.training.Groups.at;
import static dev.sluice.domain.training.Groups.sampled;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.Phase;
import dev.sluice.events.WeightEvent.PhaseChanged;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingStateTest {
    private static final TrainingRules RULES = new TrainingRules(RUN, 10, 2, 1, 1, 1, 1, 1, DynamicFilter.NONE);

    private final TrainingState state = TrainingState.from(RULES, Cut.START);

    @Test
    void asksForAsManyGroupsAsLagAndOversamplingAllow() {
        askAll(100);

        // (lag 1 + version 0 + 1) * 2 groups + 1
        assertThat(state.running()).extracting(GroupAsk::cursor).containsExactly(0L, 1L, 2L, 3L, 4L);
    }

    @Test
    void takesTheFirstResultInTheLogWhateverItsAttempt() {
        askAll(2);
        state.apply(at(10, sampled(0, 0, 0, 1)));
        state.apply(at(11, sampled(0, 0, 0, 0)));
        state.apply(at(12, abandoned(1, 0)));
        state.apply(at(13, sampled(1, 0, 0, 1)));
        askAll(2);
        state.apply(at(14, sampled(1, 1, 0, 1)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::resultId).containsExactly("id-10", "id-14");
        assertThat(draft.dropped())
                .extracting(GroupDrop::cursor, GroupDrop::round, GroupDrop::reason, GroupDrop::again)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(1L, 0, DropReason.ABANDONED, true));
    }

    @Test
    void aLateStepMayGoOnWithFewerGroupsAndTheOthersServeTheNext() {
        askAll(2);
        state.apply(at(0, sampled(1, 0, 0, 1)));

        assertThat(state.decideBatch()).isEmpty();
        assertThat(state.decideFewer(2)).isEmpty();
        assertThat(state.decideFewer(1).orElseThrow().groups())
                .extracting(GroupUse::cursor)
                .containsExactly(1L);
        assertThat(state.running()).extracting(GroupAsk::cursor).containsExactly(0L);
    }

    @Test
    void trainsOnTheOldestVersionFirstThenByCursor() {
        askAll(4);
        publish(1);
        state.apply(at(0, sampled(0, 0, 1, 1)));
        state.apply(at(1, sampled(3, 0, 0, 1)));
        state.apply(at(2, sampled(2, 0, 0, 1)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(2L, 3L);
        assertThat(draft.groups()).extracting(GroupUse::policyLag).containsExactly(1, 1);
    }

    @Test
    void groupsThatAStepHasNoPlaceForAreTrainedOnByTheNext() {
        askAll(5);
        for (int cursor = 0; cursor < 3; cursor++) {
            state.apply(at(cursor, sampled(cursor, 0, 0, 1)));
        }

        BatchFormed first = form(20, 1);
        assertThat(state.ready()).isEqualTo(1);
        state.apply(at(3, sampled(3, 0, 0, 1)));
        BatchDraft second = state.decideBatch().orElseThrow();

        assertThat(first.groups()).extracting(GroupUse::cursor).containsExactly(0L, 1L);
        assertThat(first.dropped()).isEmpty();
        assertThat(second.groups()).extracting(GroupUse::cursor).containsExactly(2L, 3L);
    }

    @Test
    void asksAgainForAStaleGroupAndGivesItUpAfterTheLastRound() {
        askAll(1);
        publish(1);
        publish(2);
        state.apply(at(0, sampled(0, 0, 0, 1)));
        askAll(1);
        assertThat(state.running()).containsExactly(new GroupAsk(0, 1, 0));
        state.apply(at(1, sampled(0, 1, 0, 1)));
        askAll(2);
        state.apply(at(2, sampled(1, 0, 2, 1)));
        state.apply(at(3, sampled(2, 0, 2, 1)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(1L, 2L);
        assertThat(draft.dropped())
                .extracting(GroupDrop::round, GroupDrop::reason, GroupDrop::again)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(0, DropReason.STALE, true),
                        org.assertj.core.groups.Tuple.tuple(1, DropReason.STALE, false));
    }

    @Test
    void refusesAResultThatIsOlderThanItWasAskedFor() {
        publish(1);
        publish(2);
        state.apply(new GroupAsk(0, 0, 2));

        state.apply(at(0, sampled(0, 0, 1, 1)));

        assertThat(state.ready()).isZero();
        assertThat(state.decideAsk(4).orElseThrow().round()).isEqualTo(1);
    }

    @Test
    void asksAgainForAGroupWithoutRewardOrWithAFailedSample() {
        askAll(2);

        state.apply(at(0, Groups.group(0, 0, List.of(Groups.sample(0, new int[] {4}, 0, null, FinishReason.STOP)))));
        state.apply(at(1, Groups.group(1, 0, List.of(Groups.sample(0, new int[0], 0, 0.0, FinishReason.FAILED)))));

        assertThat(state.ready()).isZero();
        askAll(2);
        assertThat(state.running()).extracting(GroupAsk::round).containsExactly(1, 1);
    }

    @Test
    void cutsAtTheOldestResultThatNothingHasUsed() {
        askAll(5);
        state.apply(at(3, sampled(4, 0, 0, 1)));
        state.apply(at(5, sampled(2, 0, 0, 1)));
        state.apply(at(7, sampled(0, 0, 0, 1)));
        state.apply(at(9, sampled(1, 0, 0, 1)));
        form(20, 1);
        complete(21, 1);

        Cut cut = state.decideCut();

        assertThat(cut.groupsOffset()).isEqualTo(3);
        assertThat(cut.closedBelow()).isEqualTo(2);
        assertThat(cut.cursorNext()).isEqualTo(5);
        assertThat(cut.trainingOffset()).isEqualTo(22);
    }

    @Test
    void refusesALogThatUsesAGroupTwice() {
        askAll(4);
        state.apply(at(0, sampled(0, 0, 0, 1)));
        state.apply(at(1, sampled(1, 0, 0, 1)));
        BatchFormed first = form(20, 1);

        assertThatThrownBy(() -> state.apply(
                        at(21, new BatchFormed(RUN, 1, 2, first.groups(), List.of(), first.cursorNext(), 0, ""))))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("run/0")
                .hasMessageContaining("used up before");
    }

    @Test
    void saysWhichResultTheLogNoLongerHolds() {
        GroupUse use = new GroupUse("run/7", 7, 0, "gone", 3, 44, 0);

        assertThatThrownBy(() -> state.resultsOf(List.of(use)))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("run/7")
                .hasMessageContaining("offset 44");
    }

    @Test
    void closesWhatIsLeftOverSoThatNoTokenIsWithoutABucket() {
        askAll(3);
        state.apply(at(0, sampled(1, 0, 0, 1)));
        state.apply(at(1, sampled(6, 0, 0, 1))); // asked for by an earlier trainer

        BatchDraft closing = state.decideClosing().orElseThrow();

        assertThat(closing.groups()).isEmpty();
        assertThat(closing.cursorNext()).isEqualTo(7);
        assertThat(closing.dropped()).hasSize(7).allMatch(drop -> drop.reason() == DropReason.SURPLUS && !drop.again());
        assertThat(closing.dropped()).extracting(GroupDrop::tokens).containsExactly(0, 1, 0, 0, 0, 0, 1);
    }

    @Test
    void knowsTheWeightsOfAStepThatLaterOnesHaveReplaced() {
        publish(0);
        publish(1);
        publish(2);

        assertThat(state.versionAfter(0)).isZero();
        assertThat(state.versionAfter(1)).isEqualTo(1);
        assertThat(state.versionAfter(7)).isEqualTo(2);
    }

    private void askAll(int slots) {
        for (var ask = state.decideAsk(slots); ask.isPresent(); ask = state.decideAsk(slots)) {
            state.apply(ask.get());
        }
    }

    @Test
    void knowsTheNewestVersionWithoutFilesAndKeepsOnlyThoseWithFiles() {
        publish(1);
        state.apply(at(102, new WeightsPublished(RUN, 1, 2, 2, Transport.NCCL, null, null, null)));

        assertThat(state.newestWeights().orElseThrow().version()).isEqualTo(2);
        assertThat(state.version()).isEqualTo(2);
        assertThat(state.keptWeights()).extracting(WeightsPublished::version).containsExactly(1);
        assertThat(state.isNewestWeightsTakenBack(1)).isTrue();
        assertThat(state.isNewestWeightsTakenBack(2)).isFalse();
    }

    @Test
    void knowsTheNewestPhaseOverEpochs() {
        assertThat(state.phase()).isEmpty();
        PhaseChanged newest = new PhaseChanged(RUN, 2, 3, Phase.TRAIN, 4, List.of());

        state.apply(at(101, new PhaseChanged(RUN, 1, 2, Phase.GENERATE, 4, List.of())));
        state.apply(at(102, newest));

        assertThat(state.phase()).contains(newest);
    }

    private BatchFormed form(long offset, int step) {
        BatchDraft draft = state.decideBatch().orElseThrow();
        BatchFormed formed = new BatchFormed(
                RUN, 1, step, draft.groups(), draft.dropped(), draft.cursorNext(), draft.weightVersion(), "");
        state.apply(at(offset, formed));
        return formed;
    }

    private void complete(long offset, int step) {
        Event completed = new StepCompleted(RUN, 1, step, 0, 1, 1, 0, List.of(), Map.of());
        state.apply(at(offset, completed));
    }

    private void publish(int version) {
        state.apply(
                at(100 + version, new WeightsPublished(RUN, 1, version, version, Transport.DISK, "d", "sha", null)));
    }
}
