package dev.sluice.domain.audit;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.request.Requests;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.AdoptedResult;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.Rollout.StaleSamples;
import dev.sluice.events.RunEvent.RunPlanned;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointAdopted;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.RolledBack;
import dev.sluice.events.UInt8Array;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RunAuditTest {
    private static final UUID FIRST = new UUID(0, 1);
    private static final UUID SECOND = new UUID(0, 2);
    private static final UUID THIRD = new UUID(0, 3);

    private final RunAudit audit = new RunAudit("run");

    @BeforeEach
    void anEngineThatHeldVersionsZeroAndOne() {
        apply(new EngineReady("run", 1, "engine", "rollout-1", "i", 0, 8, 1));
        apply(new WeightsLoaded("run", 1, "engine", "rollout-1", 1, 0.1, List.of()));
    }

    @Test
    void findsNothingInALogThatKeepsItsPromises() {
        sampled(0, FIRST, 0);
        sampled(0, SECOND, 1);
        sampled(1, THIRD, 1);
        formed(1, 1, use(0, FIRST));
        formed(2, 2, use(1, THIRD));
        apply(new BatchFormed("run", 1, 2, List.of(), List.of(drop(2)), 3, 2, ""));

        assertThat(audit.findings(1)).isEmpty();
    }

    @Test
    void aRunThatGoesOnFromAnEarlierOneBeginsWithThePromptsThatItsCutHasUsedUp() {
        apply(adopted());
        sampled(5, FIRST, 1);
        sampled(7, SECOND, 1);
        formed(3, 1, use(5, FIRST));
        formed(4, 1, use(7, SECOND));

        assertThat(audit.findings(1)).containsExactly("group run/8 was asked for and neither used nor dropped");
    }

    @Test
    void findsAGroupThatTheCutWhichARunBeganWithHadUsed() {
        apply(adopted());
        sampled(6, FIRST, 1);
        formed(3, 1, use(6, FIRST));

        assertThat(audit.findings(1)).contains("group run/6 was used up by step 2 and by step 3");
    }

    @Test
    void anEarlierRunsResultNeedsNoEngineOfThisRun() {
        audit.apply(group(0, new AdoptedResult("earlier", "result"), new VersionSpan(9, 1)), FIRST);
        formed(1, 9, use(0, FIRST));

        assertThat(audit.findings(0)).isEmpty();
    }

    @Test
    void givenAnswersNeedNoResultInTheLog() {
        ObjectNode supervised = Requests.least();
        supervised.withObjectProperty("algorithm").put("name", "sft");
        apply(new RunPlanned("run", "sha", Requests.complete(supervised), null));
        formed(1, 0, use(0, FIRST));

        assertThat(audit.findings(0)).isEmpty();
    }

    private static CheckpointAdopted adopted() {
        return new CheckpointAdopted("run", 1, "earlier", 2, "cut", 9, 5, List.of(6L), 0, 0, 0, "");
    }

    @Test
    void findsAGroupThatIsTrainedTwice() {
        sampled(0, FIRST, 0);
        formed(1, 1, use(0, FIRST));
        formed(2, 1, use(0, FIRST));

        assertThat(audit.findings(1)).containsExactly("group run/0 was used up by step 1 and by step 2");
    }

    @Test
    void aStepThatWasTakenBackMayBeFormedAgainButNotFromItsGroups() {
        sampled(0, FIRST, 0);
        formed(1, 1, use(0, FIRST));
        apply(new RolledBack("run", 1, 1, 0, 1, "too steep"));
        formed(1, 1, use(0, FIRST));

        assertThat(audit.findings(1)).singleElement().asString().contains("was used up by step");
    }

    @Test
    void findsAResultThatWasNotTheFirst() {
        sampled(0, FIRST, 0);
        sampled(0, SECOND, 0);
        formed(1, 1, use(0, SECOND));

        assertThat(audit.findings(1)).singleElement().asString().contains("the first in the log is " + FIRST);
    }

    @Test
    void findsAVersionThatTheEngineNeverHeldAndOneThatIsTooOld() {
        sampled(0, FIRST, 7);
        sampled(1, SECOND, 0);
        formed(1, 7, use(0, FIRST));
        formed(2, 2, use(1, SECOND));

        assertThat(audit.findings(1))
                .containsExactly(
                        "sample 0 of group run/0 is by version 7 of engine engine, which never said that it held it",
                        "step 2 uses sample 0 of group run/1, 2 publications old; the run allows 1");
    }

    @Test
    void aSampleBeyondTheLagMayBeUsedMaskedOrCorrectedAsTheRunSays() {
        sampled(0, FIRST, 0);
        formed(1, 2, new GroupUse("run/0", 0, 0, FIRST.toString(), 0, 0, 2, 1));
        sampled(1, SECOND, 0);
        formed(2, 2, use(1, SECOND));

        assertThat(audit.findings(1, StaleSamples.MASK))
                .containsExactly("step 2 uses sample 0 of group run/1, 2 publications old; the run allows 1");
        assertThat(audit.findings(1, StaleSamples.CORRECT)).isEmpty();
        assertThat(audit.findings(1, StaleSamples.DROP)).hasSize(2);
    }

    @Test
    void findsSpansThatMissATokenOrGoBack() {
        sampled(0, FIRST, new VersionSpan(0, 2));
        sampled(1, SECOND, new VersionSpan(1, 1), new VersionSpan(0, 0));
        formed(1, 1, use(0, FIRST));
        formed(2, 1, use(1, SECOND));

        assertThat(audit.findings(1))
                .containsExactly(
                        "sample 0 of group run/0 has 1 tokens; its spans are [VersionSpan[version=0, tokens=2]]",
                        "sample 0 of group run/1 has 1 tokens; its spans are [VersionSpan[version=1, tokens=1], VersionSpan[version=0, tokens=0]]");
    }

    @Test
    void findsAPromptThatWasForgottenAndAUseWithoutAResult() {
        formed(1, 1, use(1, FIRST));

        assertThat(audit.findings(1))
                .containsExactly(
                        "step 1 uses group run/1, of which there is no result",
                        "group run/0 was asked for and neither used nor dropped");
    }

    @Test
    void aRecordThatIsReadTwiceCountsOnce() {
        sampled(0, FIRST, 0);
        BatchFormed batch = new BatchFormed("run", 1, 1, List.of(use(0, FIRST)), List.of(), 1, 1, "");
        audit.apply(batch, SECOND);
        audit.apply(batch, SECOND);

        assertThat(audit.findings(1)).isEmpty();
    }

    private void apply(dev.sluice.events.Event event) {
        audit.apply(event, UUID.randomUUID());
    }

    private void formed(int step, int version, GroupUse use) {
        apply(new BatchFormed("run", 1, step, List.of(use), List.of(), use.cursor() + 1, version, ""));
    }

    private static GroupUse use(long cursor, UUID result) {
        return new GroupUse("run/" + cursor, cursor, 0, result.toString(), 0, 0, 0);
    }

    private static GroupDrop drop(long cursor) {
        return new GroupDrop("run/" + cursor, cursor, 0, null, DropReason.ABANDONED, false, 0);
    }

    private void sampled(long cursor, UUID id, int version) {
        sampled(cursor, id, new VersionSpan(version, 1));
    }

    private void sampled(long cursor, UUID id, VersionSpan... spans) {
        audit.apply(group(cursor, null, spans), id);
    }

    private static GroupSampled group(long cursor, @Nullable AdoptedResult adoptedFrom, VersionSpan... spans) {
        Sample sample = new Sample(
                0,
                Int32Array.of(5),
                Float32Array.of(-1),
                UInt8Array.of((byte) 1),
                1.0,
                null,
                FinishReason.STOP,
                List.of(spans),
                "engine",
                0,
                0,
                0,
                null,
                null,
                null,
                null);
        return new GroupSampled(
                "run",
                1,
                "run/" + cursor,
                cursor,
                0,
                1,
                "rollout-1",
                Int32Array.of(3),
                List.of(sample),
                0,
                1,
                null,
                adoptedFrom);
    }
}
