package dev.sluice.domain.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.RolledBack;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Token counts are those the events are written with, added up by hand. */
class LedgerTest {
    private final LedgerEvents events = new LedgerEvents("run-1");
    private final Ledger ledger = new Ledger("run-1");

    @Test
    void aFinishedGroupIsOpenUntilABatchUsesIt() {
        UUID result = sampled(0, 0, 10, 4);

        assertThat(ledger.tokens().open()).isEqualTo(14);

        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, result))), UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(10, 4, 0, 0, 0, 0, 0, 0, 0, 0));
        assertThat(ledger.tokens().total()).isEqualTo(ledger.tokensReported());
    }

    @Test
    void tokensThatAStepMasksForTheirAgeAreMaskedWhicheverIsReadFirst() {
        UUID result = UUID.randomUUID();
        Event spanned = events.spanned(0, new VersionSpan(3, 6), new VersionSpan(4, 9));
        Event batch = events.batch(1, 1, List.of(events.use(0, result, 4)));
        ledger.apply(spanned, result);
        ledger.apply(batch, UUID.randomUUID());
        Ledger other = new Ledger("run-1");
        other.apply(batch, UUID.randomUUID());
        other.apply(spanned, result);

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(9, 6, 0, 0, 0, 0, 0, 0, 0, 0));
        assertThat(other.tokens()).isEqualTo(ledger.tokens());
        assertThat(ledger.tokens().total()).isEqualTo(ledger.tokensReported());
    }

    @Test
    void whatNothingHadUsedWhenARunFailedIsAbandoned() {
        sampled(0, 0, 10, 4);

        ledger.apply(new RunFailed("run-1", "no worker", null), UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(0, 0, 0, 0, 14, 0, 0, 0, 0, 0));
        assertThat(ledger.tokens().total()).isEqualTo(ledger.tokensReported());
    }

    @Test
    void tokensOfAnEarlierRunsResultAreInThatOnesBucketsAlone() {
        UUID result = UUID.randomUUID();
        ledger.apply(events.adopted(0, 10, 4), result);
        ledger.apply(events.adopted(0, 10, 4), UUID.randomUUID());
        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, result))), UUID.randomUUID());
        sampled(0, 0, 7, 0);

        assertThat(ledger.tokensAdopted()).isEqualTo(14);
        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(0, 0, 0, 0, 0, 0, 7, 0, 0, 0));
        assertThat(ledger.tokensReported()).isEqualTo(7);
    }

    @Test
    void aBatchMayBeReadBeforeTheResultsItUses() {
        UUID result = UUID.randomUUID();
        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, result))), UUID.randomUUID());

        ledger.apply(events.sampled(0, 0, 1, 10, 0, 0), result);

        assertThat(ledger.tokens().trained()).isEqualTo(10);
        assertThat(ledger.tokens().open()).isZero();
    }

    @Test
    void onlyTheFirstResultOfARoundCountsAndTheNextRoundIsAnotherOne() {
        UUID first = sampled(0, 0, 10, 0);
        sampled(0, 0, 7, 0);
        UUID nextRound = sampled(0, 1, 5, 0);
        ledger.apply(
                events.batch(
                        1,
                        1,
                        List.of(events.use(0, 1, nextRound)),
                        List.of(events.drop(0, 0, first, DropReason.STALE))),
                UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(5, 0, 0, 10, 0, 0, 7, 0, 0, 0));
    }

    @Test
    void theResultThatTheTrainerNamedCountsEvenWhereAnotherCameFirst() {
        sampled(0, 0, 10, 0);
        UUID accepted = sampled(0, 0, 7, 0);

        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, accepted))), UUID.randomUUID());

        assertThat(ledger.tokens().trained()).isEqualTo(7);
        assertThat(ledger.tokens().duplicate()).isEqualTo(10);
    }

    @Test
    void tokensOfAParkedGroupCountWhereTheResultHasThem() {
        ledger.apply(events.parked(0, 0, 3), UUID.randomUUID());
        UUID result = sampled(0, 0, 10, 0);
        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, result))), UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(10, 0, 0, 0, 0, 3, 0, 0, 0, 0));
        assertThat(ledger.tokens().total()).isEqualTo(ledger.tokensReported());
    }

    @Test
    void aResultAfterItsRoundWasAbandonedIsADuplicate() {
        ledger.apply(events.abandoned(0, 0, 6), UUID.randomUUID());
        sampled(0, 0, 10, 0);

        assertThat(ledger.tokens().abandoned()).isEqualTo(6);
        assertThat(ledger.tokens().duplicate()).isEqualTo(10);
        assertThat(ledger.tokensReported()).isEqualTo(16);
    }

    @Test
    void theSameRecordReadTwiceCountsOnce() {
        UUID id = UUID.randomUUID();
        ledger.apply(events.sampled(0, 0, 1, 10, 0, 3), id);
        ledger.apply(events.sampled(0, 0, 1, 10, 0, 3), id);

        assertThat(ledger.tokensReported()).isEqualTo(13);
        assertThat(ledger.acceptLength()).hasValue(10);
    }

    @Test
    void everyDropHasItsBucketAndAbortedTokensAreTheirOwn() {
        List<UUID> results =
                List.of(sampled(0, 0, 1, 0), sampled(1, 0, 2, 0), sampled(2, 0, 4, 0), sampled(3, 0, 8, 0));
        ledger.apply(events.sampled(-1, 0, 1, 16, 0, 32), UUID.randomUUID());
        ledger.apply(
                events.batch(
                        1,
                        1,
                        List.of(),
                        List.of(
                                events.drop(0, 0, results.get(0), DropReason.FILTERED),
                                events.drop(1, 0, results.get(1), DropReason.STALE),
                                events.drop(2, 0, results.get(2), DropReason.ABANDONED),
                                events.drop(3, 0, results.get(3), DropReason.SURPLUS))),
                UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(0, 0, 1, 2 + 8, 4, 32, 0, 16, 0, 0));
        assertThat(ledger.tokens().total()).isEqualTo(63);
    }

    @Test
    void aStepFormedAgainAfterACrashReplacesTheOneBefore() {
        UUID first = sampled(0, 0, 10, 0);
        UUID second = sampled(1, 0, 20, 0);
        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, first))), UUID.randomUUID());
        ledger.apply(events.step(1, 1, 0.25), UUID.randomUUID());

        ledger.apply(events.batch(2, 1, List.of(events.use(1, 0, second))), UUID.randomUUID());
        ledger.apply(events.step(2, 1, 0.5), UUID.randomUUID());

        assertThat(ledger.tokens().trained()).isEqualTo(20);
        assertThat(ledger.tokens().open()).isEqualTo(10);
        assertThat(ledger.stepsTrained()).isEqualTo(1);
        assertThat(ledger.rewards()).containsExactly(new StepReward(1, 0.5));
    }

    @Test
    void tokensOfAStepThatWasTakenBackHaveABucketAndItsNumberIsTrainedAgain() {
        UUID first = sampled(0, 0, 10, 0);
        UUID second = sampled(1, 0, 20, 3);
        UUID third = sampled(2, 0, 40, 0);
        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, first))), UUID.randomUUID());
        ledger.apply(events.step(1, 1, 0.25), UUID.randomUUID());
        ledger.apply(events.batch(1, 2, List.of(events.use(1, 0, second))), UUID.randomUUID());
        ledger.apply(events.step(1, 2, 0.5), UUID.randomUUID());

        ledger.apply(new RolledBack("run-1", 1, 2, 1, 2, "too steep"), UUID.randomUUID());
        ledger.apply(events.batch(1, 2, List.of(events.use(2, 0, third))), UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(50, 0, 0, 0, 0, 0, 0, 0, 0, 23));
        assertThat(ledger.rewards()).containsExactly(new StepReward(1, 0.25));
    }

    @Test
    void aClosingBatchOfTheLastStepLeavesItsGroupsTrained() {
        UUID used = sampled(0, 0, 10, 0);
        UUID left = sampled(1, 0, 20, 0);
        ledger.apply(events.batch(1, 1, List.of(events.use(0, 0, used))), UUID.randomUUID());

        ledger.apply(
                events.batch(1, 1, List.of(), List.of(events.drop(1, 0, left, DropReason.SURPLUS))), UUID.randomUUID());

        assertThat(ledger.tokens()).isEqualTo(new TokenBuckets(10, 0, 0, 20, 0, 0, 0, 0, 0, 0));
    }

    @Test
    void aTrainerThatHasBeenReplacedIsNotHeard() {
        UUID result = sampled(0, 0, 10, 0);
        ledger.apply(events.step(2, 1, 0.5), UUID.randomUUID());

        ledger.apply(events.batch(1, 2, List.of(events.use(0, 0, result))), UUID.randomUUID());

        assertThat(ledger.tokens().open()).isEqualTo(10);
    }

    @Test
    void anotherRunInTheSamePartitionChangesNothing() {
        ledger.apply(new LedgerEvents("run-2").sampled(0, 0, 1, 10, 0, 0), UUID.randomUUID());

        assertThat(ledger.tokens().total()).isZero();
    }

    @Test
    void rewardsComeByStepWhateverTheirOrder() {
        ledger.apply(events.step(1, 2, 0.4), UUID.randomUUID());
        ledger.apply(events.step(1, 1, 0.3), UUID.randomUUID());

        assertThat(ledger.rewards()).containsExactly(new StepReward(1, 0.3), new StepReward(2, 0.4));
    }

    @Test
    void acceptLengthIsTokensPerVerificationOfTheResponsesThatSpeculated() {
        ledger.apply(events.sampled(0, 0, 4, 10, 0, 0), UUID.randomUUID());
        ledger.apply(events.sampledWithoutSpeculation(1, 0, 100), UUID.randomUUID());

        assertThat(ledger.acceptLength().orElseThrow()).isCloseTo(2.5, within(1e-12));
    }

    private UUID sampled(long cursor, int round, int trainable, int masked) {
        UUID id = UUID.randomUUID();
        ledger.apply(events.sampled(cursor, round, 4, trainable, masked, 0), id);
        return id;
    }
}
