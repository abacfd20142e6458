package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;
import static dev.sluice.domain.training.Groups.at;
import static dev.sluice.domain.training.Groups.sampled;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Verdict;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What slime's generate_rollout_async does with the same groups, in a run without policy lag: 2 groups a step and 1 more. */
class DynamicFilterTest {
    @Test
    void aGroupWithEqualRewardsIsLeftOutAndAnotherPromptAskedFor() {
        TrainingState state = asked(DynamicFilter.NONZERO_STD);
        state.apply(at(0, sampled(0, 0, 0, 1, 1)));
        askAll(state);
        state.apply(at(1, sampled(1, 0, 0, 1, 0)));
        state.apply(at(2, sampled(3, 0, 0, 0, 1)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(1L, 3L);
        assertThat(draft.dropped())
                .extracting(
                        GroupDrop::cursor, GroupDrop::reason, GroupDrop::again, GroupDrop::tokens, GroupDrop::detail)
                .containsExactly(tuple(0L, DropReason.FILTERED, false, 2, "zero_std_1.0"));
    }

    @Test
    void aGroupThatTheRunsOwnFilterRefusesIsLeftOutForItsReason() {
        TrainingState state = asked(DynamicFilter.NONE);
        state.apply(at(0, judged(0, new Verdict(false, "too_easy", false))));
        askAll(state);
        state.apply(at(1, judged(1, new Verdict(true, null, false))));
        state.apply(at(2, judged(3, null)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(1L, 3L);
        assertThat(draft.dropped())
                .extracting(GroupDrop::cursor, GroupDrop::reason, GroupDrop::again, GroupDrop::detail)
                .containsExactly(tuple(0L, DropReason.FILTERED, false, "too_easy"));
    }

    @Test
    void aRefusedGroupIsTakenWhereTheFilterSaysSoAndAStepWouldLackGroups() {
        TrainingState state = asked(DynamicFilter.NONE);
        state.apply(at(0, judged(0, new Verdict(false, "dull", true))));
        state.apply(at(1, judged(1, new Verdict(true, null, false))));
        state.apply(at(2, judged(2, new Verdict(false, "dull", true))));

        assertThat(state.decideBatch().orElseThrow().groups())
                .extracting(GroupUse::cursor)
                .containsExactly(0L, 1L);
    }

    private static GroupSampled judged(long cursor, @Nullable Verdict verdict) {
        GroupSampled group = sampled(cursor, 0, 0, 1, 0);
        return new GroupSampled(
                group.runId(),
                group.epoch(),
                group.groupId(),
                group.cursor(),
                group.round(),
                group.attempt(),
                group.instanceId(),
                group.promptTokens(),
                group.samples(),
                group.tokensAborted(),
                group.seconds(),
                verdict);
    }

    @Test
    void whatAFilterLeavesOutIsNotAskedForAgainWhenItBecomesStale() {
        TrainingState state = asked(DynamicFilter.NONZERO_STD);
        state.apply(at(0, sampled(0, 0, 0, 1, 1)));

        state.apply(at(100, new WeightsPublished(RUN, 1, 1, 1, Transport.DISK, "d", "sha", null)));
        askAll(state);

        assertThat(state.running())
                .extracting(GroupAsk::cursor, GroupAsk::round)
                .doesNotContain(tuple(0L, 1));
    }

    @Test
    void withoutFallbackAWaitNamesHowManyGroupsAreFilteredAndTheirMemoryIsBounded() {
        TrainingState state = asked(DynamicFilter.NONZERO_STD);
        for (int cursor = 0; cursor < 5; cursor++) {
            state.apply(at(cursor, sampled(cursor, 0, 0, 1, 1)));
            askAll(state);
        }
        state.apply(at(5, sampled(5, 0, 0, 1, 0)));
        assertThat(state.decideFiltered(6)).isEmpty();
        BatchDraft closing = state.decideFiltered(5).orElseThrow();

        state.apply(at(20, formed(closing)));

        assertThat(closing.groups()).isEmpty();
        assertThat(closing.dropped()).hasSize(5);
        assertThat(state.decideFiltered(1)).isEmpty();
        assertThat(state.canForm()).isFalse();
        assertThat(state.situation()).contains("5 of the last 6 groups filtered");
    }

    @Test
    void aFallbackFillsAStepOnceItsWaveIsSampledAndAsksForNoMore() {
        TrainingState state = asked(DynamicFilter.NONZERO_STD_WITH_FALLBACK);
        state.apply(at(0, sampled(0, 0, 0, 1, 1)));
        state.apply(at(1, sampled(1, 0, 0, 0, 0)));
        assertThat(state.canForm()).isFalse();
        state.apply(at(2, sampled(2, 0, 0, 1, 0)));
        askAll(state);

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(state.running()).isEmpty();
        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(0L, 2L);
        assertThat(draft.dropped())
                .extracting(GroupDrop::cursor, GroupDrop::reason, GroupDrop::detail)
                .containsExactly(tuple(1L, DropReason.FILTERED, "zero_std_0.0"));
    }

    @Test
    void aFallbackLeavesOutWhatAStepDoesNotNeed() {
        TrainingState state = asked(DynamicFilter.NONZERO_STD_WITH_FALLBACK);
        state.apply(at(0, sampled(0, 0, 0, 1, 1)));
        state.apply(at(1, sampled(1, 0, 0, 1, 0)));
        state.apply(at(2, sampled(2, 0, 0, 1, 0)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(1L, 2L);
        assertThat(draft.dropped()).extracting(GroupDrop::cursor).containsExactly(0L);
    }

    @Test
    void countsByReasonForTheStepThatTheGroupsWereSampledFor() {
        TrainingState state = asked(DynamicFilter.NONZERO_STD);
        state.apply(at(0, sampled(0, 0, 0, 1, 1)));
        state.apply(at(1, sampled(1, 0, 0, 0, 0)));
        state.apply(at(20, formed(state.decideFiltered(2).orElseThrow())));
        state.apply(at(2, sampled(2, 0, 0, 1, 1)));
        askAll(state);
        state.apply(at(3, sampled(3, 0, 0, 1, 0)));
        state.apply(at(4, sampled(4, 0, 0, 1, 0)));

        state.apply(at(21, formed(state.decideBatch().orElseThrow())));

        assertThat(state.filteredOf(1)).isEqualTo(Map.of("zero_std_1.0", 2, "zero_std_0.0", 1));
        assertThat(state.situation()).doesNotContain("filtered");
    }

    private static TrainingState asked(DynamicFilter filter) {
        TrainingState state = TrainingState.from(new TrainingRules(RUN, 10, 2, 2, 1, 0, 1, 1, filter), Cut.START);
        askAll(state);
        return state;
    }

    private static void askAll(TrainingState state) {
        for (var ask = state.decideAsk(100); ask.isPresent(); ask = state.decideAsk(100)) {
            state.apply(ask.get());
        }
    }

    private static BatchFormed formed(BatchDraft draft) {
        return new BatchFormed(
                RUN, 1, draft.step(), draft.groups(), draft.dropped(), draft.cursorNext(), draft.weightVersion(), "");
    }
}
