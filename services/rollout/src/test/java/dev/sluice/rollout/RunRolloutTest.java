package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.GroupWithdrawn;
import dev.sluice.events.GroupTask.Prompt;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Int32Array;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.UInt8Array;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import dev.sluice.rollout.assignment.Share;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one run does on one instance, with engines, log and time in the test's hands. */
class RunRolloutTest {
    private static final Path MODEL =
            Path.of(System.getProperty("sluice.root")).resolve("common/text/src/test/resources/character-model");
    private static final int SAMPLES = 4;

    @TempDir
    Path folder;

    private FakeRun fake;
    private ManualCore core;
    private FakeEngines engines;
    private RecordedEvents log;
    private RunRollout run;
    private Share share;
    private PartialRollout partialRollout = PartialRollout.RESTART;
    private List<Sample> parked = List.of();

    @BeforeEach
    void aRunWithOneEngine() {
        fake = new FakeRun(folder, 1, List.of()).serve();
        core = fake.core;
        engines = fake.engines;
        log = fake.log;
        run = fake.run;
        share = fake.share;
    }

    @Test
    void allSamplesOfAGroupGoOutTogetherWithSeedsOfTheirOwn() {
        // When
        request(0, 0, null);
        // Then
        assertThat(engines.newest().requests).hasSize(SAMPLES).allSatisfy(sent -> {
            assertThat(sent.returnLogprob()).isTrue();
            assertThat(sent.rid()).startsWith("run/0#0.1.1/");
        });
        assertThat(engines.newest().requests)
                .extracting(sent -> sent.samplingParams().samplingSeed())
                .doesNotHaveDuplicates();
        assertThat(log.of(GroupStarted.class)).hasSize(1);
        assertThat(sampled().samples()).hasSize(SAMPLES);
    }

    @Test
    void anEngineThatHasNothingToDoLoadsAtOnceAndOnlyTheNewestVersion() throws IOException {
        // Given
        core.hold("verify-weights-1");
        fake.publish(1);
        // When
        fake.publish(2);
        core.release("verify-weights-1");
        // Then
        assertThat(engines.newest().loaded).containsExactly(2);
        assertThat(log.of(WeightsLoaded.class))
                .extracting(WeightsLoaded::version)
                .containsExactly(2);
    }

    @Test
    void aNewEngineLoadsTheNewestVersionBeforeItIsReady() throws IOException {
        // Given
        fake.publish(1);
        // When
        engines.newest().crash();
        core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(engines.launched).hasSize(2);
        assertThat(engines.newest().loaded).containsExactly(1);
        assertThat(log.of(EngineReady.class))
                .extracting(EngineReady::weightVersion)
                .containsExactly(0, 1);
    }

    @Test
    void noWorkIsGivenToAnEngineThatIsAboutToLoad() throws IOException {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        fake.publish(1);
        // When
        request(1, 0, null);
        // Then
        assertThat(engines.newest().loaded).isEmpty();
        assertThat(engines.newest().requests).isEmpty();
        core.release("sample-run/0");
        assertThat(log.of(GroupSampled.class))
                .extracting(
                        GroupSampled::groupId,
                        group -> group.samples().getFirst().oldestVersion())
                .containsExactly(tuple("run/0", 0), tuple("run/1", 1));
    }

    @Test
    void whatRunsForTooLongIsAbortedByTheUpdateAndSampledAgainUnderTheNewVersion() throws IOException {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        fake.publish(1);
        engines.newest().abortsNext = true;
        // When
        core.advance(Duration.ofMillis(2100));
        assertThat(engines.newest().loaded).containsExactly(1);
        core.release("sample-run/0");
        // Then
        assertThat(sampled().tokensAborted()).isEqualTo(SAMPLES * 2);
        assertThat(sampled().samples()).extracting(Sample::oldestVersion).containsOnly(1);
    }

    @Test
    void anEngineKeepsAVersionThatAGroupNeedsExactly() throws IOException {
        // Given
        fake.publish(1);
        core.hold("sample-run/0");
        request(0, 0, 1);
        // When
        fake.publish(2);
        core.advance(Duration.ofSeconds(10));
        // Then
        assertThat(engines.newest().loaded).containsExactly(1);
        core.release("sample-run/0");
        assertThat(sampled().samples()).extracting(Sample::oldestVersion).containsOnly(1);
        assertThat(engines.newest().loaded).containsExactly(1, 2);
    }

    @Test
    void aRefusedWeightUpdateReplacesTheEngine() throws IOException {
        // Given
        engines.newest().refusesWeights = true;
        // When
        fake.publish(1);
        core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(log.of(EngineUnhealthy.class).getFirst().reason()).contains("weights are partly updated");
        assertThat(log.of(EngineStopped.class)).hasSize(1);
        assertThat(engines.newest().loaded).containsExactly(1);
    }

    @Test
    void aSampleThatIsRefusedTwiceFailsAloneWithItsReason() {
        // Given: the engine answers with other weights than it was given
        engines.newest().label = "7";
        // When
        request(0, 0, null);
        // Then
        assertThat(engines.newest().requests).hasSize(2 * SAMPLES);
        assertThat(log.of(GroupAbandoned.class).getFirst())
                .satisfies(group -> assertThat(group.reason()).contains("all samples failed", "answered with '7'"))
                .satisfies(group -> assertThat(group.tokensAborted()).isEqualTo(2 * SAMPLES * 2));
    }

    @Test
    void anEngineThatDoesNotAnswerItsHealthChecksIsReplaced() {
        // Given
        FakeEngine deaf = engines.newest();
        deaf.healthy = false;
        // When
        core.advance(Duration.ofSeconds(10));
        // Then
        assertThat(log.of(EngineUnhealthy.class).getFirst().reason()).contains("/health failed", "3 times in a row");
        assertThat(engines.launched).hasSize(2);
    }

    @Test
    void anEngineThatRecoversTakesWorkAgain() {
        // Given
        engines.newest().healthy = false;
        core.advance(Duration.ofMillis(5500));
        request(0, 0, null);
        assertThat(engines.newest().requests).isEmpty();
        // When
        engines.newest().healthy = true;
        core.advance(Duration.ofSeconds(2));
        // Then
        assertThat(sampled().samples()).hasSize(SAMPLES);
        assertThat(engines.launched).hasSize(1);
    }

    @Test
    void anEngineThatCannotBeStartedSaysWhyAndIsTriedAgain() {
        // Given
        engines.launchFailure = "There is no program 'python3'";
        engines.newest().crash();
        core.advance(Duration.ofSeconds(1));
        // When
        engines.launchFailure = null;
        core.advance(Duration.ofSeconds(5));
        // Then
        assertThat(log.of(EngineStopped.class).getLast().reason()).contains("no program 'python3'");
        assertThat(engines.launched).hasSize(2);
    }

    @Test
    void aGroupWithoutAnEngineIsAbandonedAtItsDeadlineWithTheNumbers() {
        // Given
        request(0, 3, null);
        // When
        core.advance(Duration.ofSeconds(61));
        // Then
        assertThat(log.of(GroupAbandoned.class).getFirst().reason())
                .contains("its deadline passed with 0 of 4 samples done", "weight version 3 or newer", "newest is 0");
    }

    @Test
    void aWithdrawnGroupIsAbortedAndAnswered() {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        // When
        run.withdraw(new GroupWithdrawn("run", 1, "run/0", 0, "rollout-1", "it is stale"));
        core.advance(Duration.ofSeconds(3));
        // Then
        assertThat(engines.newest().aborted).containsExactly("run/0#0.1.1/");
        assertThat(log.of(GroupAbandoned.class))
                .extracting(GroupAbandoned::reason)
                .containsExactly("withdrawn: it is stale");
    }

    @Test
    void anotherAttemptOfARunningGroupIsAnsweredInsteadOfTheFirst() {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        // When
        run.accept(task(0, 0, null, 2), FakeRun.arrival());
        core.release("sample-run/0");
        // Then
        assertThat(log.of(GroupStarted.class)).extracting(GroupStarted::attempt).containsExactly(1, 2);
        assertThat(log.of(GroupSampled.class)).extracting(GroupSampled::attempt).containsExactly(2);
        assertThat(engines.newest().requests).hasSize(SAMPLES);
    }

    @Test
    void anAttemptThatCrossesTheResultIsNotSampledAgain() {
        // Given
        request(0, 0, null);
        // When
        run.accept(task(0, 0, null, 2), FakeRun.arrival());
        core.settle();
        // Then
        assertThat(engines.newest().requests).hasSize(SAMPLES);
        assertThat(log.of(GroupSampled.class)).hasSize(1);
    }

    @Test
    void aVersionThatNoEngineHoldsAnyMoreIsNotWaitedFor() throws IOException {
        // Given
        fake.publish(1);
        // When
        request(0, 0, 0);
        // Then
        assertThat(log.of(GroupAbandoned.class).getFirst().reason())
                .contains("no engine holds exactly weight version 0 any more");
    }

    @Test
    void aResultThatTheBrokerDidNotTakeIsPublishedAgain() {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        log.failures = 2;
        // When
        core.release("sample-run/0");
        core.advance(Duration.ofSeconds(3));
        // Then
        assertThat(log.of(GroupSampled.class)).hasSize(1);
    }

    @Test
    void aRewardThatNobodyKnowsLeavesItsSamplesUnscored() {
        // When
        GroupRequested task = task(0, 0, null, 1);
        run.accept(
                new GroupRequested(
                        task.runId(),
                        1,
                        task.groupId(),
                        0,
                        0,
                        1,
                        "rollout-1",
                        task.prompt(),
                        "1",
                        "judge",
                        SAMPLES,
                        task.sampling(),
                        0,
                        null,
                        task.deadline()),
                FakeRun.arrival());
        core.settle();
        // Then
        assertThat(sampled().samples()).allSatisfy(sample -> {
            assertThat(sample.reward()).isNull();
            assertThat(sample.unscored()).contains("no reward 'judge'");
            assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
        });
    }

    @Test
    void enginesTakeOtherGroupsWhileRewardsAreAskedFor() {
        // Given
        core.hold("score-run/0");
        request(0, 0, null);
        // When
        request(1, 0, null);
        // Then
        assertThat(log.of(GroupSampled.class)).extracting(GroupSampled::groupId).containsExactly("run/1");
        core.release("score-run/0");
        assertThat(log.of(GroupSampled.class)).extracting(GroupSampled::groupId).containsExactly("run/1", "run/0");
    }

    @Test
    void aGroupThatIsWithdrawnWhileItsRewardsAreAskedForIsAbandonedOnce() {
        // Given
        core.hold("score-run/0");
        request(0, 0, null);
        // When
        run.withdraw(new GroupWithdrawn("run", 1, "run/0", 0, "rollout-1", "stale"));
        core.advance(Duration.ofSeconds(3));
        core.release("score-run/0");
        // Then
        assertThat(log.of(GroupAbandoned.class)).hasSize(1);
        assertThat(log.of(GroupSampled.class)).isEmpty();
    }

    @Test
    void aNewerAssignmentKeepsTheEnginesAndAnnouncesThemAgain() {
        // When
        run.serve(new Share("run", 2, 2, List.of(), share.recipe()), List.of());
        core.settle();
        // Then
        assertThat(log.of(EngineReady.class))
                .extracting(EngineReady::engineId, EngineReady::epoch)
                .containsExactly(tuple("engine-1", 1), tuple("engine-1", 2), tuple("engine-2", 2));
    }

    @Test
    void aDrainFinishesWhatRunsAndGivesTheRestBackBeforeTheEnginesEnd() {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        request(1, 9, null);
        // When
        var closed = run.drain("the instance is stopping", Duration.ofSeconds(3), core);
        core.release("sample-run/0");
        // Then
        assertThat(closed).isCompleted();
        assertThat(log.of(GroupSampled.class)).extracting(GroupSampled::groupId).containsExactly("run/0");
        assertThat(log.of(SamplesParked.class))
                .extracting(SamplesParked::groupId, SamplesParked::reason)
                .containsExactly(tuple("run/1", "the instance is stopping"));
        assertThat(log.events.getLast()).isInstanceOf(EngineStopped.class);
    }

    @Test
    void aTaskThatReachesADrainingInstanceGoesBackUntouched() {
        // Given
        run.drain("the instance is stopping", Duration.ofSeconds(3), core);
        // When
        request(0, 0, null);
        // Then
        assertThat(log.of(SamplesParked.class)).singleElement().satisfies(back -> {
            assertThat(back.samples()).isEmpty();
            assertThat(back.attempt()).isEqualTo(1);
        });
        assertThat(log.of(GroupAbandoned.class)).isEmpty();
    }

    @Test
    void whatADrainInterruptsGoesBackWithItsTokens() {
        // Given
        core.hold("sample-run/0");
        request(0, 0, null);
        engines.newest().abortsNext = true;
        // When
        run.drain("the instance is stopping", Duration.ZERO, core);
        core.release("sample-run/0");
        // Then
        assertThat(log.of(SamplesParked.class)).singleElement().satisfies(back -> {
            assertThat(back.samples()).hasSize(SAMPLES).allSatisfy(sample -> {
                assertThat(sample.finishReason()).isEqualTo(FinishReason.PARKED);
                assertThat(sample.tokens().toArray()).containsExactly(5, 6);
                assertThat(sample.versions()).containsExactly(new VersionSpan(0, 2));
            });
            assertThat(back.tokensAborted()).isZero();
        });
    }

    @Test
    void parkedSamplesAreGoneOnWithWhereTheyStopped() {
        // Given what another instance gave back: one sample whole, one begun
        parked = List.of(parked(0, FinishReason.STOP, 0, 7, 8), parked(2, FinishReason.PARKED, 0, 7, 8, 9));
        // When
        request(0, 0, null);
        // Then
        assertThat(engines.newest().requests)
                .extracting(sent -> sent.rid().substring(sent.rid().indexOf('/', 4) + 1))
                .containsExactly("1", "2", "3");
        var goesOn = engines.newest().requests.get(1);
        assertThat(goesOn.inputIds()).endsWith(7, 8, 9);
        assertThat(goesOn.samplingParams().maxNewTokens()).isEqualTo(8 - 3);
        assertThat(sampled().samples())
                .extracting(sample -> sample.tokens().length())
                .containsExactly(2, 2, 5, 2);
        assertThat(sampled().tokensAborted()).isZero();
    }

    @Test
    void aGroupThatCameBackWholeIsScoredAndAnsweredWithoutAnEngine() {
        // Given what an instance gives back that ends while its rewards are being asked for
        parked = IntStream.range(0, SAMPLES)
                .mapToObj(index -> parked(index, FinishReason.STOP, 0, 7, 8))
                .toList();
        // When
        request(0, 0, null);
        // Then
        assertThat(engines.newest().requests).isEmpty();
        assertThat(sampled().samples()).hasSize(SAMPLES);
        assertThat(sampled().promptTokens().length()).isPositive();
    }

    @Test
    void parkedSamplesOfAVersionThatTheTaskForbidsAreSampledAnew() throws IOException {
        // Given
        fake.publish(1);
        parked = List.of(parked(0, FinishReason.STOP, 0, 7, 8), parked(1, FinishReason.PARKED, 0, 7));
        // When
        request(0, 1, null);
        // Then
        assertThat(engines.newest().requests).hasSize(SAMPLES);
        assertThat(sampled().samples()).extracting(Sample::oldestVersion).containsOnly(1);
    }

    @Test
    void parkedSamplesThatContradictThemselvesAreSampledAnew() {
        // Given a whole response longer than was asked for, a place that does not exist, two for one place
        parked = List.of(
                parked(0, FinishReason.STOP, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
                parked(SAMPLES, FinishReason.STOP, 0, 1),
                parked(1, FinishReason.STOP, 0, 1),
                parked(1, FinishReason.STOP, 0, 2));
        // When
        request(0, 0, null);
        // Then
        assertThat(engines.newest().requests).hasSize(SAMPLES);
    }

    @Test
    void anInterruptedSampleGoesOnUnderNewWeightsWhereTheRunWantsIt() throws IOException {
        // Given
        partialRollout = PartialRollout.CONTINUE;
        interruptedByVersionOne(0);
        // Then
        assertThat(sampled().tokensAborted()).isZero();
        assertThat(sampled().samples()).hasSize(SAMPLES).allSatisfy(sample -> {
            assertThat(sample.versions()).containsExactly(new VersionSpan(0, 2), new VersionSpan(1, 2));
            assertThat(sample.tokens().toArray()).containsExactly(5, 6, 5, 6);
            assertThat(sample.lossMask().toArray()).containsExactly(1, 1, 1, 1);
        });
    }

    @Test
    void theOlderTokensOfAContinuedSampleCanBeMasked() throws IOException {
        // Given
        partialRollout = PartialRollout.CONTINUE_MASKED;
        interruptedByVersionOne(0);
        // Then
        assertThat(sampled().samples())
                .allSatisfy(sample -> assertThat(sample.lossMask().toArray()).containsExactly(0, 0, 1, 1));
    }

    @Test
    void anInterruptedSampleBeginsAnewWhereItsTokensWouldBeTooOld() throws IOException {
        // Given an attempt that allows version 0, followed by one that does not
        partialRollout = PartialRollout.CONTINUE;
        core.hold("sample-run/0");
        request(0, 0, null);
        fake.publish(1);
        engines.newest().abortsNext = true;
        run.accept(task(0, 1, null, 2), FakeRun.arrival());
        core.advance(Duration.ofMillis(2100));
        core.release("sample-run/0");
        // Then
        assertThat(sampled().samples()).extracting(Sample::oldestVersion).containsOnly(1);
        assertThat(sampled().tokensAborted()).isEqualTo(SAMPLES * 2);
    }

    private void interruptedByVersionOne(long cursor) throws IOException {
        core.hold("sample-run/" + cursor);
        request(cursor, 0, null);
        fake.publish(1);
        engines.newest().abortsNext = true;
        core.advance(Duration.ofMillis(2100));
        core.release("sample-run/" + cursor);
    }

    private static Sample parked(int index, FinishReason reason, int version, int... tokens) {
        float[] logprobs = new float[tokens.length];
        byte[] mask = new byte[tokens.length];
        Arrays.fill(mask, (byte) 1);
        return new Sample(
                index,
                Int32Array.of(tokens),
                Float32Array.of(logprobs),
                UInt8Array.of(mask),
                1.0,
                null,
                reason,
                List.of(new VersionSpan(version, tokens.length)),
                "elsewhere",
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }

    private void request(long cursor, int minVersion, @Nullable Integer exactVersion) {
        run.accept(task(cursor, minVersion, exactVersion, 1), FakeRun.arrival());
        core.settle();
    }

    private GroupRequested task(long cursor, int minVersion, @Nullable Integer exactVersion, int attempt) {
        return new GroupRequested(
                "run",
                1,
                "run/" + cursor,
                cursor,
                0,
                attempt,
                "rollout-1",
                Prompt.of("1+1="),
                "01",
                "exact",
                SAMPLES,
                new Sampling(1, 1, -1, 8, 42),
                minVersion,
                exactVersion,
                core.now().plusSeconds(60),
                partialRollout,
                parked,
                null,
                null,
                null,
                null);
    }

    private GroupSampled sampled() {
        assertThat(log.of(GroupSampled.class)).hasSize(1);
        return log.of(GroupSampled.class).getFirst();
    }
}
