package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.EngineNode;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunFailed;
import dev.sluice.events.RunEvent.RunQueued;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs whose engines span several nodes, one rollout instance a node. */
class NodeGroupsTest {
    private static final Duration UNTIL_LOST = Duration.ofSeconds(7);

    private final Story story = new Story();

    @Test
    void anEngineOfTwoNodesTakesTwoInstancesAndTheFirstIsItsHead() {
        running(1, 2, "rollout-1", "rollout-2");

        assertThat(story.assignment().rollout())
                .containsExactly(
                        share("rollout-1", new EngineNode(1, "rollout-1", 0, 2)),
                        share("rollout-2", new EngineNode(1, "rollout-1", 1, 2)));
    }

    @Test
    void anInstanceThatIsTooFewIsWaitedForWithTheReasonAndTheRunFailsInTheEnd() {
        story.planNodes(Story.RUN, 1, 0, 2, 0);
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.start("rollout-1", "a", Role.ROLLOUT, 4);
        story.hear(Reports.converted(Story.RUN));

        List<RunEvent> atFirst = story.pass(Duration.ofSeconds(599));
        List<RunEvent> later = story.pass(Duration.ofSeconds(2));

        assertThat(atFirst)
                .containsExactly(new RunQueued(
                        Story.RUN,
                        "waits for 2 rollout instances with a free slot (backend cpu), one for each node of an engine;"
                                + " there is 1, and the run fails where that is so for 600 s",
                        1));
        assertThat(later)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunFailed.class,
                        failed -> assertThat(failed.reason())
                                .contains(
                                        "waited in vain for 600 s", "start more instances, or plan engines that fit"));
    }

    @Test
    void instancesThatOtherRunsHoldAreWaitedForAsLongAsItTakes() {
        running(1, 2, "rollout-1", "rollout-2");
        story.planNodes("second", 1, 0, 2, 0);
        story.hear(Reports.converted("second"));

        assertThat(story.pass(Duration.ofMinutes(20)))
                .filteredOn(event -> event.runId().equals("second"))
                .singleElement()
                .isInstanceOfSatisfying(
                        RunQueued.class, queued -> assertThat(queued.reason()).doesNotContain("fails"));
    }

    @Test
    void aSpareInstanceReplacesALostOneAndTheEngineIsFormedAnew() {
        running(1, 2, "rollout-1", "rollout-2", "rollout-3");
        story.silence("rollout-2");

        List<RunEvent> decided = story.pass(UNTIL_LOST);

        assertThat(decided).singleElement().isInstanceOfSatisfying(RunAssigned.class, assigned -> {
            assertThat(assigned.reason()).isEqualTo("rollout-2 sent no heartbeat");
            assertThat(assigned.rollout())
                    .containsExactly(
                            share("rollout-1", new EngineNode(2, "rollout-1", 0, 2)),
                            share("rollout-3", new EngineNode(2, "rollout-1", 1, 2)));
        });
        assertThat(story.run().phase()).isEqualTo(RunPhase.RUNNING);
    }

    @Test
    void anEngineWhoseInstanceDrainsIsGivenUpAsAWholeWhileAnotherGoesOn() {
        running(2, 2, "rollout-1", "rollout-2", "rollout-3", "rollout-4");
        List<RolloutShare> second = story.assignment().rollout().subList(2, 4);
        story.say("rollout-2", State.DRAINING);

        assertThat(story.happens())
                .singleElement()
                .isInstanceOfSatisfying(
                        RunAssigned.class,
                        assigned -> assertThat(assigned.rollout()).isEqualTo(second));
    }

    @Test
    void aRunWhoseOnlyEngineLostANodeWaitsAndGoesOnWhenTheInstanceIsBack() {
        running(1, 2, "rollout-1", "rollout-2");
        List<RolloutShare> before = story.assignment().rollout();
        story.silence("rollout-2");
        List<RunEvent> waiting = story.pass(Duration.ofSeconds(20));
        story.start("rollout-2", "a", Role.ROLLOUT, 1);

        assertThat(waiting)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunQueued.class,
                        queued -> assertThat(queued.reason())
                                .startsWith("rollout-2 sent no heartbeat; waits for 2 rollout instances"));
        assertThat(story.happens())
                .singleElement()
                .isInstanceOfSatisfying(
                        RunAssigned.class,
                        assigned -> assertThat(assigned.rollout()).isEqualTo(before));
    }

    @Test
    void enginesJoinAndLeaveAnElasticRunAsAWhole() {
        story.planNodes(Story.RUN, 1, 3, 2, 0);
        begin("rollout-1", "rollout-2");
        story.start("rollout-3", "a", Role.ROLLOUT, 1);
        List<RunEvent> one = story.happens();
        story.start("rollout-4", "a", Role.ROLLOUT, 1);
        List<RunEvent> two = story.happens();
        story.plan("second", 1);
        List<RunEvent> wanted = story.happens();

        assertThat(one).isEmpty();
        assertThat(two)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunAssigned.class,
                        assigned -> assertThat(assigned.rollout()).hasSize(4));
        assertThat(wanted)
                .filteredOn(RunAssigned.class::isInstance)
                .extracting(
                        RunEvent::runId,
                        event -> ((RunAssigned) event).rollout().size())
                .contains(org.assertj.core.groups.Tuple.tuple(Story.RUN, 2));
    }

    @Test
    void theGpusOfEachNodeAreLeasedAndTwoRunsShareNone() {
        story.planNodes(Story.RUN, 1, 0, 2, 4);
        story.planNodes("second", 1, 0, 2, 4);
        story.start("trainer-1", "a", Role.TRAINER, 2);
        story.start("rollout-1", "a", Role.ROLLOUT, 2, 8);
        story.start("rollout-2", "a", Role.ROLLOUT, 2, 8);
        story.start("rollout-3", "a", Role.ROLLOUT, 2, 2);
        story.happens();

        assertThat(story.desk.run(Story.RUN).service().assignment().rollout())
                .extracting(RolloutShare::gpus)
                .containsExactly(List.of(0, 1, 2, 3), List.of(0, 1, 2, 3));
        assertThat(story.desk.run("second").service().assignment().rollout())
                .extracting(RolloutShare::instanceId, RolloutShare::gpus)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple("rollout-1", List.of(4, 5, 6, 7)),
                        org.assertj.core.groups.Tuple.tuple("rollout-2", List.of(4, 5, 6, 7)));
    }

    @ParameterizedTest
    @ValueSource(longs = {20261126, 5, 99})
    void whateverComesAndGoesEveryEngineIsWholeOrNotThereAndNoInstanceIsTornOutOfOneThatServes(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < 60; i++) {
            comingsAndGoings(random, "seed %d story %d".formatted(seed, i));
        }
    }

    private static void comingsAndGoings(Random random, String which) {
        Story story = new Story();
        int nodes = 2 + random.nextInt(3);
        int engines = 1 + random.nextInt(3);
        story.planNodes(Story.RUN, engines, 0, nodes, random.nextInt(3));
        story.start("trainer-1", "t", Role.TRAINER, 1);
        story.hear(Reports.converted(Story.RUN));
        Map<String, String> serving = new TreeMap<>();
        List<RolloutShare> before = List.of();
        for (int move = 0; move < 40; move++) {
            String instance = "rollout-" + random.nextInt(10);
            if (!serving.containsKey(instance)) {
                serving.put(instance, "i" + move);
                story.start(instance, "i" + move, Role.ROLLOUT, 1, 2);
            } else if (random.nextBoolean()) {
                story.say(instance, State.STOPPED);
                serving.remove(instance);
            }
            boolean assigned = story.happens().stream().anyMatch(RunAssigned.class::isInstance);
            if (assigned) {
                List<RolloutShare> now = story.assignment().rollout();
                wholeEngines(which, now, nodes, engines);
                assertThat(now)
                        .as(which)
                        .allSatisfy(
                                share -> assertThat(serving).containsEntry(share.instanceId(), share.incarnation()));
                whatServesStays(which, before, now, serving);
                int unused = serving.size() - now.size();
                assertThat(now.size() / nodes == engines || unused < nodes)
                        .as("%s: %d instances are left over", which, unused)
                        .isTrue();
                before = now;
            }
            assertThat(story.replayed()).as(which).containsExactlyElementsOf(story.desk.runs());
        }
    }

    private static void wholeEngines(String which, List<RolloutShare> shares, int nodes, int atMost) {
        Map<List<Object>, List<RolloutShare>> engines = shares.stream()
                .collect(Collectors.groupingBy(
                        share -> List.of(share.node().formed(), share.node().head())));
        assertThat(engines.size()).as(which).isBetween(1, atMost);
        Set<String> instances = new HashSet<>();
        engines.values().forEach(engine -> {
            assertThat(engine)
                    .as(which)
                    .extracting(share -> share.node().rank())
                    .containsExactlyElementsOf(
                            java.util.stream.IntStream.range(0, nodes).boxed().toList());
            assertThat(engine.getFirst().instanceId())
                    .isEqualTo(engine.getFirst().node().head());
            engine.forEach(share ->
                    assertThat(instances.add(share.instanceId())).as(which).isTrue());
        });
    }

    private static void whatServesStays(
            String which, List<RolloutShare> before, List<RolloutShare> now, Map<String, String> serving) {
        List<RolloutShare> whole = new ArrayList<>();
        before.stream()
                .collect(Collectors.groupingBy(
                        share -> List.of(share.node().formed(), share.node().head())))
                .values()
                .stream()
                .filter(engine ->
                        engine.stream().allMatch(share -> share.incarnation().equals(serving.get(share.instanceId()))))
                .forEach(whole::addAll);
        assertThat(now).as(which).containsAll(whole);
    }

    private void running(int engines, int nodes, String... instances) {
        story.planNodes(Story.RUN, engines, 0, nodes, 0);
        begin(instances);
    }

    private void begin(String... instances) {
        story.start("trainer-1", "a", Role.TRAINER, 2);
        for (String instance : instances) {
            story.start(instance, "a", Role.ROLLOUT, 1);
        }
        story.happens();
        Reports.ofAGoodStart(Story.RUN, story.assignment()).forEach(story::hear);
        story.happens();
    }

    private static RolloutShare share(String instanceId, EngineNode node) {
        return new RolloutShare(instanceId, "a", 1, List.of(), node);
    }
}
