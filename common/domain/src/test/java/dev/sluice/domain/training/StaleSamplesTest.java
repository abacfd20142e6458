package dev.sluice.domain.training;

import static dev.sluice.domain.training.Groups.RUN;
import static dev.sluice.domain.training.Groups.at;
import static dev.sluice.domain.training.Groups.sampled;
import static dev.sluice.domain.training.Groups.spanned;
import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingRequest.Transport;
import dev.sluice.events.WeightEvent.WeightsPublished;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two groups a step of two samples, a lag of 1; version 2 is current, so that tokens of version 0 are too old. */
class StaleSamplesTest {
    private static final BatchRules ONE_RANK = new BatchRules(1, 1, Integer.MAX_VALUE, AdvantageRule.grpo(false));

    @Test
    void droppedOnesAreAskedForAgain() {
        TrainingState state = state(StaleSamples.DROP);

        state.apply(at(1, spanned(0, 0, new int[] {0, 1}, 1, 0)));
        state.apply(at(2, sampled(1, 0, 2, 1, 0)));

        assertThat(state.ready()).isEqualTo(1);
        assertThat(state.decideAsk(8)).contains(new GroupAsk(0, 1, 0));
    }

    @Test
    void maskedOnesAreTrainedOnWithTheirYoungerTokens() {
        TrainingState state = state(StaleSamples.MASK);
        state.apply(at(1, spanned(0, 0, new int[] {0, 1}, 1, 0)));
        state.apply(at(2, sampled(1, 0, 2, 1, 0)));

        BatchDraft draft = state.decideBatch().orElseThrow();
        BatchRows rows = BatchRows.of(state.resultsOf(draft.groups()), ONE_RANK);

        assertThat(draft.groups())
                .extracting(GroupUse::cursor, GroupUse::policyLag, GroupUse::trainedFrom)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(0L, 2, 1), org.assertj.core.groups.Tuple.tuple(1L, 0, 0));
        // Each prompt has two tokens. Rewards 1 and 0 are 0.5 from their mean, whatever is masked.
        assertThat(rows.lossMask()).containsExactly(0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1);
        assertThat(rows.advantages()).containsExactly(0, 0, 0.5f, 0.5f, 0, 0, -0.5f, -0.5f, 0, 0, 0.5f, 0, 0, -0.5f);
        assertThat(rows.lossDenominators()).containsOnly(1);
        assertThat(rows.trainedTokens()).isEqualTo(4);
        assertThat(rows.responseTokens()).isEqualTo(6);
    }

    @Test
    void aGroupOfWhichNoTokenIsYoungEnoughIsDroppedRatherThanMasked() {
        TrainingState state = state(StaleSamples.MASK);
        state.apply(at(1, sampled(0, 0, 0, 1, 0)));
        state.apply(at(2, sampled(1, 0, 2, 1, 0)));
        state.apply(new GroupAsk(2, 0, 0));
        state.apply(at(3, sampled(2, 0, 1, 1, 0)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::cursor).containsExactly(2L, 1L);
        assertThat(draft.dropped())
                .extracting(GroupDrop::cursor, GroupDrop::reason, GroupDrop::again)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(0L, DropReason.STALE, true));
    }

    @Test
    void correctedOnesAreTrainedOnWhole() {
        TrainingState state = state(StaleSamples.CORRECT);
        state.apply(at(1, sampled(0, 0, 0, 1, 0)));
        state.apply(at(2, sampled(1, 0, 2, 1, 0)));

        BatchDraft draft = state.decideBatch().orElseThrow();

        assertThat(draft.groups()).extracting(GroupUse::policyLag).containsExactly(2, 0);
        assertThat(draft.groups()).extracting(GroupUse::trainedFrom).containsOnly(0);
        assertThat(BatchRows.of(state.resultsOf(draft.groups()), ONE_RANK).trainedTokens())
                .isEqualTo(4);
    }

    /** The bound of a request is a promise of the instance; the policy about old samples is none about broken promises. */
    @Test
    void oneThatIsOlderThanItWasAskedForIsRefusedWhateverThePolicy() {
        for (StaleSamples policy : List.of(StaleSamples.MASK, StaleSamples.CORRECT)) {
            TrainingState state = state(policy);
            state.apply(new GroupAsk(2, 0, 2));

            state.apply(at(1, spanned(2, 0, new int[] {1, 2}, 1, 0)));

            assertThat(state.ready()).as(policy.name()).isZero();
        }
    }

    private static TrainingState state(StaleSamples policy) {
        TrainingState state =
                TrainingState.from(new TrainingRules(RUN, 10, 2, 2, 1, 1, 0, 1, DynamicFilter.NONE, policy), Cut.START);
        state.apply(new GroupAsk(0, 0, 0));
        state.apply(new GroupAsk(1, 0, 0));
        for (int version = 0; version <= 2; version++) {
            state.apply(
                    at(version, new WeightsPublished(RUN, 1, version, version, Transport.DISK, "dir", "sha", null)));
        }
        return state;
    }
}
