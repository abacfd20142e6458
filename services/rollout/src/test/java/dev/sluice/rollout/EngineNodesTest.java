package dev.sluice.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.sluice.events.EngineEvent.EngineFellBack;
import dev.sluice.events.EngineEvent.EngineReady;
import dev.sluice.events.EngineEvent.EngineStarted;
import dev.sluice.events.EngineEvent.EngineStopped;
import dev.sluice.events.EngineEvent.EngineUnhealthy;
import dev.sluice.events.EngineEvent.Meeting;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.SamplesParked;
import dev.sluice.events.Plan.Fallback;
import dev.sluice.rollout.FakeEngines.FakeEngine;
import dev.sluice.rollout.assignment.Share.Node;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An engine of two nodes, seen from the instance of each. */
class EngineNodesTest {
    private static final List<String> PLANNED = List.of("--tp-size", "16", "--nnodes", "2");
    private static final List<String> LOWER =
            List.of("--tp-size", "16", "--nnodes", "2", "--mem-fraction-static", "0.6");
    private static final Node HEAD = new Node(1, "rollout-1", 0, 2, null);
    /** Of an engine whose node 0 is on another instance; these tests are always rollout-1. */
    private static final Node SECOND = new Node(1, "rollout-0", 1, 2, null);

    @TempDir
    Path folder;

    @Test
    void theFirstNodeSaysWhereTheOthersMeetItAndWithWhichArguments() {
        FakeRun run = run().serveAs(HEAD);

        EngineStarted started = run.log.of(EngineStarted.class).getFirst();
        assertThat(started.node()).isZero();
        assertThat(started.meeting()).isEqualTo(new Meeting(1, "10.0.0.6:20003", PLANNED));
        assertThat(run.log.of(EngineReady.class)).hasSize(1);
    }

    @Test
    void anotherNodeIsStartedOnlyWhenTheFirstIsAndWithItsIdArgumentsAndAddress() {
        // Given
        FakeRun run = run().serveAs(SECOND);
        run.core.advance(Duration.ofMinutes(10));
        assertThat(run.engines.launched).isEmpty();
        // When
        run.hear(head("x-1", "10.0.0.5:20002", LOWER));
        // Then
        FakeEngine process = run.engines.newest();
        assertThat(process.share.node()).isEqualTo(SECOND.meetingAt("10.0.0.5:20002"));
        assertThat(process.share.recipe().args()).isEqualTo(LOWER);
        assertThat(run.log.of(EngineStarted.class)).singleElement().satisfies(started -> {
            assertThat(started.engineId()).isEqualTo("x-1");
            assertThat(started.node()).isEqualTo(1);
            assertThat(started.meeting()).isNull();
        });
    }

    @Test
    void anotherNodeTakesNoWorkAndNoWeights() throws Exception {
        // Given
        FakeRun run = run().serveAs(SECOND);
        run.hear(head("x-1", "10.0.0.5:20002", PLANNED));
        // When
        run.publish(1);
        run.request(0);
        run.core.advance(Duration.ofMinutes(10));
        // Then
        FakeEngine process = run.engines.newest();
        assertThat(process.canaries).isEmpty();
        assertThat(process.requests).isEmpty();
        assertThat(process.loaded).isEmpty();
        assertThat(run.log.of(EngineReady.class)).isEmpty();
    }

    @Test
    void theLossOfAnotherNodeEndsTheEngineWhichStartsAgainAtANewAddress() {
        // Given
        FakeRun run = run().serveAs(HEAD);
        String lost = run.log.of(EngineStarted.class).getFirst().engineId();
        // When
        run.hear(stopped(lost, 1, "the process ended by itself"));
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason())
                .isEqualTo("node 1 on rollout-2 ended: the process ended by itself");
        assertThat(run.log.of(EngineStopped.class).getFirst().engineId()).isEqualTo(lost);
        EngineStarted next = run.log.of(EngineStarted.class).getLast();
        assertThat(next.engineId()).isNotEqualTo(lost);
        assertThat(next.meeting().address()).isEqualTo("10.0.0.6:20004");
        assertThat(run.log.of(EngineReady.class)).hasSize(2);
    }

    @Test
    void theEndOfAnEarlierEngineOnAnotherNodeIsNoMatterOfTheNextOne() {
        // Given
        FakeRun run = run().serveAs(HEAD);
        String first = run.log.of(EngineStarted.class).getFirst().engineId();
        run.engines.newest().crash("node 1 was lost");
        run.core.advance(Duration.ofSeconds(1));
        // When
        run.hear(stopped(first, 1, "node 0 on rollout-1 ended"));
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.engines.launched).hasSize(2);
    }

    @Test
    void anotherNodeEndsWithTheFirstAndJoinsTheNextEngine() {
        // Given
        FakeRun run = run().serveAs(SECOND);
        run.hear(head("x-1", "10.0.0.5:20002", PLANNED));
        // When
        run.hear(head("x-2", "10.0.0.5:21002", PLANNED)); // other partitions of the log may be read first
        assertThat(run.engines.launched).hasSize(1);
        run.hear(stopped("x-1", 0, "no token moved"));
        // Then
        EngineStopped stopped = run.log.of(EngineStopped.class).getFirst();
        assertThat(stopped.engineId()).isEqualTo("x-1");
        assertThat(stopped.node()).isEqualTo(1);
        assertThat(stopped.reason()).isEqualTo("node 0 on rollout-2 ended: no token moved");
        assertThat(run.engines.launched).hasSize(2);
        assertThat(run.engines.newest().share.node().meetingAddress()).isEqualTo("10.0.0.5:21002");
    }

    @Test
    void aProcessThatEndedDoesNotJoinTheSameEngineAgain() {
        // Given
        FakeRun run = run().serveAs(SECOND);
        run.hear(head("x-1", "10.0.0.5:20002", PLANNED));
        // When
        run.engines.newest().crash("killed");
        run.core.advance(Duration.ofMinutes(10));
        // Then
        assertThat(run.engines.launched).hasSize(1);
        assertThat(run.log.of(EngineStopped.class)).hasSize(1);
    }

    @Test
    void enginesOfInstancesThatWereBroughtTogetherOtherwiseAreNotJoined() {
        FakeRun run = run().serveAs(new Node(7, "rollout-0", 1, 2, null));

        run.hear(head("x-1", "10.0.0.5:20002", PLANNED));

        assertThat(run.engines.launched).isEmpty();
    }

    @Test
    void aNodeWithoutMemoryMakesTheWholeEngineFallBack() {
        // Given
        FakeRun run = new FakeRun(folder, 1, PLANNED, new Fallback("less memory", LOWER));
        run.core.hold("await-");
        run.serveAs(HEAD);
        // When
        String id = run.log.of(EngineStarted.class).getFirst().engineId();
        run.hear(stopped(id, 1, "it ran out of memory at its start: torch.OutOfMemoryError: CUDA out of memory"));
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(EngineFellBack.class))
                .singleElement()
                .satisfies(fellBack -> assertThat(fellBack.difference()).isEqualTo("less memory"));
        assertThat(run.log.of(EngineStarted.class).getLast().meeting().args()).isEqualTo(LOWER);
    }

    @Test
    void itFallsBackEvenWhenTheFirstNodeDiedOfItsLoss() {
        // Given
        FakeRun run = new FakeRun(folder, 1, PLANNED, new Fallback("less memory", LOWER));
        run.core.hold("await-");
        run.serveAs(HEAD);
        String id = run.log.of(EngineStarted.class).getFirst().engineId();
        // When
        run.engines.newest().crash("node 1 of 2 was lost");
        run.core.settle();
        run.hear(stopped(id, 1, "it ran out of memory at its start: torch.OutOfMemoryError: CUDA out of memory"));
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(EngineFellBack.class)).hasSize(1);
        assertThat(run.log.of(EngineStarted.class).getLast().meeting().args()).isEqualTo(LOWER);
    }

    @Test
    void aStartWhoseOtherNodeNeverCameSaysWhichOne() {
        // Given
        FakeRun run = run();
        run.engines.misfortune = engine -> engine.healthy = false;
        run.core.hold("await-");
        run.serveAs(HEAD);
        // When
        run.core.advance(Duration.ofSeconds(121));
        // Then
        assertThat(run.log.of(EngineUnhealthy.class).getFirst().reason())
                .contains("it was Loading for more than PT2M", "no process of node 1 was started");
    }

    @Test
    void anEngineWithOtherInstancesIsFormedAnewAndOneWithTheSameGoesOn() {
        // Given
        FakeRun run = run().serveAs(HEAD);
        // When
        run.serveAs(HEAD, 2);
        assertThat(run.engines.launched).hasSize(1);
        run.serveAs(new Node(3, "rollout-1", 0, 2, null), 3);
        // Then
        assertThat(run.engines.launched).hasSize(2);
        assertThat(run.log.of(EngineStopped.class))
                .singleElement()
                .satisfies(stopped -> assertThat(stopped.reason()).isEqualTo("assignment 3 forms its engine anew"));
        assertThat(run.log.of(EngineStarted.class).getLast().meeting().formed()).isEqualTo(3);
        assertThat(run.log.of(EngineReady.class))
                .extracting(EngineReady::engineId, EngineReady::epoch)
                .containsExactly(tuple("engine-1", 1), tuple("engine-1", 2), tuple("engine-2", 3));
    }

    @Test
    void whatRunsOnAnEngineThatIsFormedAnewMayFinish() {
        // Given
        FakeRun run = run().serveAs(HEAD);
        run.core.hold("sample-");
        run.request(0);
        // When
        run.serveAs(new Node(2, "rollout-1", 0, 2, null), 2);
        assertThat(run.log.of(EngineStopped.class)).isEmpty();
        run.core.release("sample-");
        run.core.advance(Duration.ofSeconds(1));
        // Then
        assertThat(run.log.of(GroupSampled.class))
                .singleElement()
                .satisfies(group ->
                        assertThat(group.samples()).extracting(Sample::engineId).containsOnly("engine-1"));
        assertThat(run.log.of(EngineReady.class))
                .extracting(EngineReady::engineId)
                .containsExactly("engine-1", "engine-2");
    }

    @Test
    void aDrainingNodeGivesTheFirstTheTimeToEndTheEngineInOrder() {
        // Given
        FakeRun run = run().serveAs(SECOND);
        run.hear(head("x-1", "10.0.0.5:20002", PLANNED));
        // When
        run.drain();
        run.core.advance(Duration.ofSeconds(1));
        assertThat(run.log.of(EngineStopped.class)).isEmpty();
        run.hear(stopped("x-1", 0, "assignment 2 gives the run to other instances"));
        // Then
        assertThat(run.log.of(EngineStopped.class)).hasSize(1);
    }

    @Test
    void aDrainingNodeDoesNotWaitForTheFirstForEver() {
        FakeRun run = run().serveAs(SECOND);
        run.hear(head("x-1", "10.0.0.5:20002", PLANNED));

        run.drain();
        run.core.advance(Duration.ofSeconds(8));

        assertThat(run.log.of(EngineStopped.class)).hasSize(1);
    }

    @Test
    void groupsOfAnEngineThatIsGivenUpGoBackForOthersToSample() {
        // Given
        FakeRun run = run().serveAs(HEAD);
        run.core.hold("sample-");
        run.request(0);
        // When
        run.run.release("assignment 2 gives the run to other instances", true, run.core);
        run.core.release("sample-");
        // Then
        assertThat(run.log.of(SamplesParked.class)).hasSize(1);
    }

    private FakeRun run() {
        return new FakeRun(folder, 1, PLANNED);
    }

    private static EngineStarted head(String engineId, String address, List<String> args) {
        return new EngineStarted("run", 1, engineId, "rollout-0", 20_000, 7, 0, new Meeting(1, address, args));
    }

    private static EngineStopped stopped(String engineId, int node, String reason) {
        return new EngineStopped("run", 1, engineId, "rollout-2", reason, 1, List.of(), node);
    }
}
