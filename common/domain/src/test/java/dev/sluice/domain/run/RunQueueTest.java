package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.domain.run.QueueRules.Quota;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RunAssigned;
import dev.sluice.events.RunEvent.RunCancelled;
import dev.sluice.events.RunEvent.RunQueued;
import dev.sluice.events.RunEvent.RunStarted;
import dev.sluice.events.RunEvent.RunStopping;
import dev.sluice.events.RunEvent.RunSucceeded;
import dev.sluice.events.TrainingEvent.RolloutFinished;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The rules that {@link RunQueue} states, told as stories of one trainer slot or of many. */
class RunQueueTest {
    private static final Duration LONG = Duration.ofMinutes(59);

    @Test
    void ofRunsThatWaitTheOneOfHigherPriorityIsServedFirst() {
        Story story = ofOneSlot();
        story.plan("low", 1);
        story.plan("high", 1, priority(5));
        story.happens();

        end(story, "first");

        assertThat(assigned(story.happens())).containsExactly("high");
    }

    @Test
    void ofEqualRunsTheEarlierOneIsServedFirstAndEachKnowsItsPlace() {
        Story story = ofOneSlot();
        story.plan("second", 1);
        story.plan("third", 1);

        List<RunEvent> waiting = story.happens();
        end(story, "first");
        List<RunEvent> later = story.happens();

        assertThat(waiting).extracting(RunEvent::runId).containsExactly("second", "third");
        assertThat(waiting).extracting(event -> ((RunQueued) event).position()).containsExactly(1, 2);
        assertThat(assigned(later)).containsExactly("second");
        assertThat(later)
                .filteredOn(event -> event.runId().equals("third"))
                .last()
                .isInstanceOfSatisfying(
                        RunQueued.class, queued -> assertThat(queued.position()).isOne());
    }

    @Test
    void aRunThatWouldFitDoesNotOvertakeOneThatWaitsForMore() {
        Story story = ofOneSlot();
        story.start("trainer-2", "a", Role.TRAINER, 2);
        story.planNodes("wide", 1, 0, 2, 0);
        story.plan("narrow", 1);
        story.start("rollout-2", "a", Role.ROLLOUT, 1);

        List<RunEvent> waiting = story.happens();

        assertThat(assigned(waiting)).isEmpty();
        assertThat(waiting).contains(new RunQueued("narrow", "waits behind wide, which is before it in the queue", 2));
    }

    @Test
    void aRunThatNoInstanceCouldServeKeepsNobodyWaiting() {
        Story story = ofOneSlot();
        story.start("trainer-2", "a", Role.TRAINER, 2);
        story.planNodes("wide", 1, 0, 3, 0);
        story.start("rollout-2", "a", Role.ROLLOUT, 1);
        story.plan("narrow", 1);

        assertThat(assigned(story.happens())).containsExactly("narrow");
    }

    @Test
    void aRunGainsAPriorityForEachHourThatItWaits() {
        Story story = ofOneSlot();
        story.plan("old", 1);
        story.hear(Reports.converted("old"));
        story.pass(LONG);
        story.plan("urgent", 1, priority(1));
        story.happens();
        int before = position(story, "old");

        story.pass(Duration.ofMinutes(2));

        assertThat(before).isEqualTo(2);
        assertThat(position(story, "old")).isOne();
        end(story, "first");
        assertThat(assigned(story.happens())).containsExactly("old");
    }

    @Test
    void anOwnerAtItsQuotaWaitsWhileOthersGoBeforeIt() {
        Story story = ofFreeInstances(new Quota(OptionalInt.of(1), OptionalInt.empty(), OptionalInt.empty()));
        story.plan("alice-1", 1, owner("alice"));
        story.plan("alice-2", 1, owner("alice"));
        story.plan("bob-1", 1, owner("bob"));
        story.plan("nobody", 1);

        List<RunEvent> decided = story.happens();
        end(story, "alice-1");

        assertThat(assigned(decided)).containsExactly("alice-1", "bob-1", "nobody");
        assertThat(decided)
                .contains(new RunQueued(
                        "alice-2", "waits for other runs of alice to end: its quota is 1 run at once", 1));
        assertThat(assigned(story.happens())).containsExactly("alice-2");
    }

    @Test
    void enginesCountAgainstAQuotaAndARunAboveItSaysThatItNeverBegins() {
        Story story = ofFreeInstances(new Quota(OptionalInt.empty(), OptionalInt.of(2), OptionalInt.empty()));
        story.plan("small", 1, owner("alice"));
        story.plan("middle", 2, owner("alice"));
        story.plan("large", 3, owner("alice"));

        List<RunEvent> decided = story.happens();

        assertThat(assigned(decided)).containsExactly("small");
        assertThat(decided)
                .filteredOn(RunQueued.class::isInstance)
                .extracting(event -> ((RunQueued) event).reason())
                .containsExactly(
                        "waits for other runs of alice to end: its quota is 2 engines at once",
                        "needs 3 engines, and the quota of alice is 2: it will never begin unless that is raised");
    }

    @Test
    void aRunOfGivenAnswersStartsWithoutEngines() {
        Story story = new Story();
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.plan(Story.RUN, 0, request -> request.putObject("algorithm").put("name", "sft"));
        List<RunEvent> first = story.happens();
        story.hear(Reports.converted(Story.RUN));
        story.hear(Reports.trainerReady(Story.RUN, story.assignment()));

        List<RunEvent> then = story.happens();

        assertThat(first)
                .singleElement()
                .isInstanceOfSatisfying(
                        RunAssigned.class,
                        assigned -> assertThat(assigned.rollout()).isEmpty());
        assertThat(then).containsExactly(new RunStarted(Story.RUN, 1));
    }

    @Test
    void aRunThatOnlySamplesNeedsNoConversionAndEndsWhenAllIsSampled() {
        Story story = new Story();
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.start("rollout-1", "a", Role.ROLLOUT, 1);
        story.plan(Story.RUN, 1, request -> request.putObject("training").put("steps", 0));
        story.happens();
        story.hear(Reports.trainerReady(Story.RUN, story.assignment()));
        story.hear(Reports.engineReady(Story.RUN, story.assignment().rollout().getFirst()));
        List<RunEvent> meanwhile = story.pass(Duration.ofMinutes(30));
        story.hear(new RolloutFinished(Story.RUN, 1, Map.of("prompts", "/samples")));

        assertThat(meanwhile).containsExactly(new RunStarted(Story.RUN, 1));
        assertThat(story.happens()).containsExactly(new RunSucceeded(Story.RUN, 0, "/m", "/m"));
    }

    /** One run trains, and no instance is free. */
    private static Story ofOneSlot() {
        Story story = new Story();
        story.start("trainer-1", "a", Role.TRAINER, 1);
        story.start("rollout-1", "a", Role.ROLLOUT, 1);
        story.plan("first", 1);
        story.happens();
        Reports.ofAGoodStart("first", story.assignment()).forEach(story::hear);
        story.happens();
        return story;
    }

    private static Story ofFreeInstances(Quota everybodys) {
        Story story = new Story(new QueueRules(Duration.ofHours(1), Map.of(QueueRules.EVERYBODY, everybodys)));
        story.start("trainer-1", "a", Role.TRAINER, 8);
        story.start("rollout-1", "a", Role.ROLLOUT, 8);
        return story;
    }

    private static void end(Story story, String runId) {
        story.append(new RunStopping(runId, "enough"));
        story.append(new RunCancelled(runId, "enough"));
    }

    private static List<String> assigned(List<RunEvent> events) {
        return events.stream()
                .filter(RunAssigned.class::isInstance)
                .map(RunEvent::runId)
                .toList();
    }

    private static int position(Story story, String runId) {
        return story.desk.run(runId).last() instanceof RunQueued queued ? queued.position() : 0;
    }

    private static Consumer<ObjectNode> priority(int priority) {
        return request -> request.putObject("scheduling").put("priority", priority);
    }

    private static Consumer<ObjectNode> owner(String owner) {
        return request -> request.putObject("scheduling").put("owner", owner);
    }
}
