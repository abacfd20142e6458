package dev.sluice.trainer.dispatch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Backend;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.WeightsLoaded;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupStarted;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.InstanceSnapshot;
import dev.sluice.events.Int32Array;
import dev.sluice.events.UInt8Array;
import dev.sluice.trainer.Configs;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LeasesTest {
    private static final Instant NOON = Instant.parse("2026-01-01T12:00:00Z");

    private final RolloutPool pool = new RolloutPool();
    private final Leases leases = new Leases("run", pool, Configs.of(Map.of()).leases());

    @Test
    void givesWorkToTheNewestWeightVersion() {
        instance("a", "i1", NOON);
        instance("b", "i1", NOON);
        engine("a", "i1", 1, 4);
        engine("b", "i1", 1, 4);
        pool.accept(new WeightsLoaded("run", 1, "b-i1", "b", 2, 0.1, List.of()));

        assertThat(grant("run/0", NOON)).contains("b");
    }

    @Test
    void thenToTheInstanceWithTheFewestSamplesForItsSize() {
        instance("a", "i1", NOON);
        instance("b", "i1", NOON);
        engine("a", "i1", 1, 4);
        engine("b", "i1", 1, 8);

        assertThat(List.of(
                        grant("run/0", NOON).orElseThrow(),
                        grant("run/1", NOON).orElseThrow(),
                        grant("run/2", NOON).orElseThrow()))
                .containsExactly("a", "b", "b");
    }

    @Test
    void queuesOneGroupAheadForEachEngine() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);

        // 4 samples run at once, groups have 2: two run and one waits.
        assertThat(grant("run/0", NOON)).isPresent();
        assertThat(grant("run/1", NOON)).isPresent();
        assertThat(grant("run/2", NOON)).isPresent();
        assertThat(grant("run/3", NOON)).isEmpty();
        assertThat(leases.slots(2, NOON)).isEqualTo(3);
    }

    @Test
    void givesNothingToAnInstanceThatIsSilentOrDrains() {
        instance("a", "i1", NOON.minusSeconds(7));
        engine("a", "i1", 1, 4);

        assertThat(grant("run/0", NOON)).isEmpty();
        assertThat(leases.slots(2, NOON)).isZero();
    }

    @Test
    void sendsWorkElsewhereAsTheNextAttemptWhenItsInstanceFallsSilent() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        grant("run/0", NOON);

        List<Leases.Lost> lost = leases.endLost(NOON.plusSeconds(7));

        assertThat(lost).extracting(Leases.Lost::why).containsExactly("was silent for 7 s");
        instance("a", "i1", NOON.plusSeconds(7));
        assertThat(leases.grant(work("run/0"), NOON.plusSeconds(7))
                        .orElseThrow()
                        .attempt())
                .isEqualTo(1);
    }

    @Test
    void takesWorkFromAProcessThatWasStartedAnewAndFromOneWithoutEngines() {
        instance("a", "i1", NOON);
        instance("b", "i1", NOON);
        engine("a", "i1", 1, 4);
        engine("b", "i1", 1, 4);
        grant("run/0", NOON);
        grant("run/1", NOON);

        instance("a", "i2", NOON);
        pool.accept(new EngineStopped("run", 1, "b-i1", "b", "killed", 137, List.of()));

        assertThat(leases.endLost(NOON))
                .extracting(Leases.Lost::why)
                .containsExactlyInAnyOrder("was started anew", "has no engine left");
    }

    @Test
    void takesWorkBackThatNobodyBegins() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        grant("run/0", NOON);
        grant("run/1", NOON);
        leases.begun(new GroupStarted("run", 1, "run/0", 0, 0, "a"));
        instance("a", "i1", NOON.plusSeconds(16));

        assertThat(leases.endLost(NOON.plusSeconds(16)))
                .extracting(lost -> lost.lease().work().groupId())
                .containsExactly("run/1");
    }

    @Test
    void leavesWorkWhereItIsThatNobodyCouldBeginBecauseEnginesStoodStill() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        grant("run/0", NOON);
        instance("a", "i1", NOON.plusSeconds(16));

        leases.stoodStill(Duration.ofSeconds(10));

        assertThat(leases.endLost(NOON.plusSeconds(16))).isEmpty();
        instance("a", "i1", NOON.plusSeconds(26));
        assertThat(leases.endLost(NOON.plusSeconds(26)))
                .extracting(Leases.Lost::why)
                .containsExactly("did not begin within 15 s");
    }

    @Test
    void countsOnFromAttemptsOfAnEarlierTrainer() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        leases.begun(new GroupStarted("run", 1, "run/0", 0, 2, "a"));

        assertThat(leases.grant(work("run/0"), NOON).orElseThrow().attempt()).isEqualTo(3);
    }

    @Test
    void whatAnInstanceGivesBackGoesToTheNextOneAsTheNextAttempt() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        grant("run/0", NOON);

        leases.parked(parked(0, "a"));

        assertThat(leases.has(work("run/0").key())).isFalse();
        assertThat(leases.parked(work("run/0").key())).extracting(Sample::index).containsExactly(1);
        assertThat(leases.grant(work("run/0"), NOON).orElseThrow().attempt()).isEqualTo(1);
    }

    @Test
    void whatComesBackFromAnInstanceThatLostTheWorkBeforeChangesNothing() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        grant("run/0", NOON);
        leases.endLost(NOON.plusSeconds(7));
        instance("a", "i1", NOON.plusSeconds(7));
        grant("run/0", NOON.plusSeconds(7));

        leases.parked(parked(0, "a"));

        assertThat(leases.has(work("run/0").key())).isTrue();
        assertThat(leases.parked(work("run/0").key())).isEmpty();
    }

    @Test
    void aResultEndsWhatWasParked() {
        leases.parked(parked(0, "a"));

        leases.end(work("run/0").key(), NOON);

        assertThat(leases.parked(work("run/0").key())).isEmpty();
    }

    @Test
    void workThatTakesMuchLongerThanOthersIsGivenToAFreeInstanceToo() {
        usualDurations(Duration.ofSeconds(20));
        straggles();

        assertThat(leases.overtake(work("run/0"), NOON.plusSeconds(50)))
                .as("no three medians")
                .isEmpty();
        heartbeats(NOON.plusSeconds(61));
        Lease second = leases.overtake(work("run/0"), NOON.plusSeconds(61)).orElseThrow();

        assertThat(second.instanceId()).isEqualTo("b");
        assertThat(second.attempt()).isEqualTo(1);
        assertThat(leases.overtake(work("run/0"), NOON.plusSeconds(62)))
                .as("twice")
                .isEmpty();
        assertThat(leases.end(work("run/0").key(), NOON.plusSeconds(63)))
                .extracting(Lease::instanceId)
                .containsExactly("a", "b");
    }

    @Test
    void aStragglerWaitsWhereNobodyElseHasRoom() {
        usualDurations(Duration.ofSeconds(1));
        straggles();
        grant("run/1", NOON);
        grant("run/2", NOON);
        grant("run/3", NOON);
        heartbeats(NOON.plusSeconds(60));

        assertThat(leases.overtake(work("run/0"), NOON.plusSeconds(60))).isEmpty();
    }

    /** Instance a has begun run/0; instance b, with room for two groups, came later. */
    private void straggles() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        grant("run/0", NOON);
        leases.begun(new GroupStarted("run", 1, "run/0", 0, 0, "a"));
        instance("b", "i1", NOON);
        engine("b", "i1", 1, 4);
    }

    private void heartbeats(Instant at) {
        instance("a", "i1", at);
        instance("b", "i1", at);
    }

    private void usualDurations(Duration duration) {
        instance("z", "i1", NOON.minusSeconds(1000));
        engine("z", "i1", 1, 64);
        for (int i = 0; i < 8; i++) {
            Instant sent = NOON.minusSeconds(1000);
            leases.grant(work("run/9" + i), sent).orElseThrow();
            leases.end(work("run/9" + i).key(), sent.plus(duration));
        }
    }

    @Test
    void givesWorkOfOneVersionToHalfOfTheInstancesAndKeepsTrainingFromTheirOnlyEngine() {
        List.of("a", "b", "c", "d").forEach(id -> {
            instance(id, "i1", NOON);
            engine(id, "i1", 1, 4);
        });
        leases.hold(1, true, NOON);

        assertThat(List.of(grant(exact("run/eval/0")), grant(exact("run/eval/1")), grant(exact("run/eval/2"))))
                .containsExactly("a", "b", "a");
        assertThat(List.of(
                        grant("run/0", NOON).orElseThrow(), grant("run/1", NOON).orElseThrow()))
                .containsExactly("c", "d");
    }

    @Test
    void aVersionIsHeldOnceItsWorkHasBegunWhereItIsLoaded() {
        instance("a", "i1", NOON);
        instance("b", "i1", NOON);
        engine("a", "i1", 0, 4);
        engine("b", "i1", 1, 4);
        leases.hold(1, true, NOON);
        assertThat(grant(exact("run/eval/0"))).isEqualTo("b");

        assertThat(leases.isHeld(NOON)).isFalse();
        leases.begun(new GroupStarted("run", 1, "run/eval/0", 0, 0, "b"));
        assertThat(leases.isHeld(NOON)).isTrue();
    }

    @Test
    void aVersionIsNotHeldByTheOnlyEngineBecauseNobodyCouldGoOn() {
        instance("a", "i1", NOON);
        engine("a", "i1", 1, 4);
        leases.hold(1, true, NOON);
        grant(exact("run/eval/0"));
        leases.begun(new GroupStarted("run", 1, "run/eval/0", 0, 0, "a"));

        assertThat(leases.isHeld(NOON)).isFalse();
        assertThat(grant("run/0", NOON)).contains("a");
    }

    @Test
    void aVersionThatWasReplacedIsLostWithTheLastEngineThatHoldsIt() {
        instance("a", "i1", NOON);
        instance("b", "i1", NOON);
        engine("a", "i1", 1, 4);
        engine("b", "i1", 2, 4);
        leases.hold(1, false, NOON);
        assertThat(leases.isHeldByNone()).isFalse();
        assertThat(grant(exact("run/eval/0"))).isEqualTo("a");

        pool.accept(new WeightsLoaded("run", 1, "a-i1", "a", 2, 0.1, List.of()));
        leases.hold(1, false, NOON);

        // Two topics have no common order: its last result, or that there is none, is still to be read.
        assertThat(leases.isHeldByNone()).isFalse();
        leases.end(exact("run/eval/0").key(), NOON);
        assertThat(leases.isHeldByNone()).isTrue();
    }

    private String grant(Work work) {
        return leases.grant(work, NOON).orElseThrow().instanceId();
    }

    private static Work exact(String groupId) {
        Work work = work(groupId);
        return new Work(groupId, 0, work.samples(), 1, true, 60, work.task());
    }

    private static SamplesParked parked(int attempt, String instanceId) {
        Sample begun = new Sample(
                1,
                Int32Array.of(7),
                Float32Array.of(-1),
                UInt8Array.of((byte) 1),
                null,
                null,
                FinishReason.PARKED,
                List.of(new VersionSpan(1, 1)),
                instanceId,
                0,
                0,
                0,
                null,
                null,
                null,
                null);
        return new SamplesParked("run", 1, "run/0", 0, 0, attempt, instanceId, "stopping", List.of(begun), 0);
    }

    private Optional<String> grant(String groupId, Instant now) {
        return leases.grant(work(groupId), now).map(Lease::instanceId);
    }

    private static Work work(String groupId) {
        return new Work(groupId, 0, 2, 0, false, 60, (attempt, instanceId, deadline) -> {
            throw new UnsupportedOperationException("nothing is sent here");
        });
    }

    private void instance(String id, String incarnation, Instant heartbeat) {
        pool.accept(new InstanceSnapshot(
                id,
                incarnation,
                InstanceSnapshot.Role.ROLLOUT,
                InstanceSnapshot.State.READY,
                "localhost",
                1,
                Backend.CPU,
                0,
                1024,
                2,
                0,
                Map.of(),
                heartbeat));
    }

    private void engine(String instance, String incarnation, int version, int requests) {
        pool.accept(
                new EngineReady("run", 1, instance + "-" + incarnation, instance, incarnation, version, requests, 0.1));
    }
}
