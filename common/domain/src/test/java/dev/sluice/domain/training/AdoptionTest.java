package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupEvent.AdoptedResult;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Rollout.DynamicFilter;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A run of two groups a step that begins with a cut after step 4, at which version 4 was the newest: it publishes that as its version 5. */
class AdoptionTest {
    private static final CheckpointSaved CUT = cut(false, 8, List.of(9L), 12);

    @Test
    void groupsThatTheCutHasNotUsedAreTakenOverAsThoseOfTheNewRun() {
        Adoption adoption = adoption(CUT, List.of(), 1);
        adoption.accept(Groups.at(20, Groups.sampled(7, 0, 4, 1, 0)));
        adoption.accept(Groups.at(21, Groups.sampled(8, 0, 4, 1, 0)));
        adoption.accept(Groups.at(22, Groups.sampled(8, 0, 4, 0, 1)));
        adoption.accept(Groups.at(23, Groups.sampled(9, 0, 4, 1, 0)));

        List<GroupSampled> groups = adoption.groups(3);

        assertThat(groups)
                .singleElement()
                .returns("later", GroupSampled::runId)
                .returns("later/8", GroupSampled::groupId)
                .returns(3, GroupSampled::epoch)
                .returns(new AdoptedResult(Groups.RUN, "id-21"), GroupSampled::adoptedFrom);
        assertThat(adoption.sampledAnew(groups.size())).isZero();
    }

    @Test
    void theNewestRoundThatCanBeTrainedOnIsTakenAsTheFirst() {
        Adoption adoption = adoption(CUT, List.of(), 1);
        adoption.accept(Groups.at(20, Groups.sampled(8, 0, 3, 1, 0)));
        adoption.accept(Groups.at(21, Groups.sampled(8, 1, 4, 1, 0)));

        assertThat(adoption.groups(1)).singleElement().satisfies(group -> {
            assertThat(group.round()).isZero();
            assertThat(group.adoptedFrom()).isEqualTo(new AdoptedResult(Groups.RUN, "id-21"));
        });
    }

    @Test
    void versionsKeepTheirDistanceFromTheCut() {
        Adoption adoption = adoption(CUT, List.of(), 2);
        adoption.accept(Groups.at(20, Groups.spanned(8, 0, new int[] {3, 4}, 1, 0)));

        assertThat(versions(adoption.groups(1).getFirst()))
                .containsExactly(new VersionSpan(4, 1), new VersionSpan(5, 1));
    }

    @Test
    void aSampleOfWeightsAfterTheCutIsAsFarAsItsLastToken() {
        Adoption adoption = adoption(CUT, List.of(), 2);
        adoption.accept(Groups.at(20, Groups.spanned(8, 0, new int[] {3, 4, 6}, 1, 0)));

        assertThat(versions(adoption.groups(1).getFirst())).containsExactly(new VersionSpan(3, 3));
    }

    @Test
    void whatIsFartherThanThePolicyLagAllowsIsSampledAnew() {
        Adoption adoption = adoption(CUT, List.of(), 1);
        adoption.accept(Groups.at(20, Groups.sampled(8, 0, 6, 1, 0)));
        adoption.accept(Groups.at(21, Groups.sampled(10, 0, 2, 1, 0)));

        List<GroupSampled> groups = adoption.groups(1);

        assertThat(groups).isEmpty();
        assertThat(adoption.sampledAnew(0)).isEqualTo(2);
    }

    @Test
    void whatWasLeftOverAtTheEndOfTheEarlierRunIsOpenAgain() {
        CheckpointSaved last = cut(true, 12, List.of(), 40);
        BatchFormed closing =
                batch(4, List.of(), List.of(drop(9, "id-21", DropReason.SURPLUS), drop(11, null, DropReason.SURPLUS)));
        Adoption adoption = adoption(last, List.of(closing), 1);
        adoption.accept(Groups.at(21, Groups.sampled(9, 0, 4, 1, 0)));

        assertThat(adoption.cut().closedBelow()).isEqualTo(9);
        assertThat(adoption.cut().closedAbove()).containsExactly(10L);
        assertThat(adoption.groups(1)).extracting(GroupSampled::cursor).containsExactly(9L);
        assertThat(adoption.resultsFrom(List.of(cut(false, 4, List.of(), 5), CUT, last)))
                .isEqualTo(12);
    }

    @Test
    void groupsOfStepsThatAreLostWithTheCutAreTakenOverAndThoseTakenBackAreNot() {
        BatchFormed lost = batch(5, List.of(use(8)), List.of(drop(10, "id-22", DropReason.ROLLED_BACK)));
        Adoption adoption = adoption(CUT, List.of(lost), 1);
        adoption.accept(Groups.at(21, Groups.sampled(8, 0, 4, 1, 0)));
        adoption.accept(Groups.at(22, Groups.sampled(10, 0, 4, 1, 0)));

        assertThat(adoption.groups(1)).extracting(GroupSampled::cursor).containsExactly(8L);
        assertThat(adoption.cut().closedAbove()).containsExactly(9L, 10L);
    }

    @Test
    void finishedGroupsWhoseResultsAreDeletedAreCounted() {
        Adoption adoption = adoption(CUT, List.of(batch(5, List.of(use(8), use(11)), List.of())), 1);
        adoption.accept(Groups.at(21, Groups.sampled(11, 0, 4, 1, 0)));

        assertThat(adoption.lost()).isEqualTo(1);
        assertThat(adoption.sampledAnew(1)).isEqualTo(1);
    }

    private static List<VersionSpan> versions(GroupSampled group) {
        return group.samples().getFirst().versions();
    }

    private static Adoption adoption(CheckpointSaved cut, List<BatchFormed> batches, int maxPolicyLag) {
        return new Adoption(
                cut, batches, new TrainingRules("later", 8, 2, 2, 1, maxPolicyLag, 0, 1, DynamicFilter.NONE));
    }

    private static CheckpointSaved cut(boolean last, long closedBelow, List<Long> closedAbove, long groupsOffset) {
        return new CheckpointSaved(
                Groups.RUN, 1, 4, 4, 4, "cut", "sha", last, 12, closedBelow, closedAbove, groupsOffset, 0, "data");
    }

    private static BatchFormed batch(int step, List<GroupUse> uses, List<GroupDrop> drops) {
        return new BatchFormed(Groups.RUN, 1, step, uses, drops, 12, 4, "sha");
    }

    private static GroupUse use(long cursor) {
        return new GroupUse(Groups.RUN + "/" + cursor, cursor, 0, "id", 0, 21, 0, 0);
    }

    private static GroupDrop drop(long cursor, @org.jspecify.annotations.Nullable String resultId, DropReason reason) {
        return new GroupDrop(Groups.RUN + "/" + cursor, cursor, 0, resultId, reason, false, 2);
    }
}
