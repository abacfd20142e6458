package dev.sluice.domain.run;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.Event;
import dev.sluice.events.InstanceSnapshot.Role;
import dev.sluice.events.InstanceSnapshot.State;
import dev.sluice.events.RunEvent;
import dev.sluice.events.RunEvent.RolloutShare;
import dev.sluice.events.RunEvent.RunAssigned;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Two runs, a few instances and anything that can happen to them, in any order. */
class RandomLifeTest {
    private static final int STORIES = 60;
    private static final int MOVES = 60;
    private static final List<String> RUNS = List.of(Story.RUN, "second");
    private static final Map<String, Integer> SLOTS =
            Map.of("rollout-1", 1, "rollout-2", 2, "rollout-3", 1, "trainer-1", 1, "trainer-2", 1);

    @ParameterizedTest
    @ValueSource(longs = {20261124, 7, 4711})
    void noStoryBreaksTheRules(long seed) {
        Random random = new Random(seed);
        for (int i = 0; i < STORIES; i++) {
            Story story = tell(random);

            assertThat(story.replayed())
                    .as("seed %d story %d: the log alone gives the same runs", seed, i)
                    .containsExactlyElementsOf(story.desk.runs());
            RUNS.forEach(run -> epochsRise(story, run));
        }
    }

    private static Story tell(Random random) {
        Story story = Story.ofPlannedRun();
        story.plan("second", 2);
        List<String> started = new ArrayList<>();
        int incarnation = 0;
        for (int move = 0; move < MOVES; move++) {
            String instance = SLOTS.keySet().stream().sorted().toList().get(random.nextInt(SLOTS.size()));
            switch (random.nextInt(6)) {
                case 0, 1 -> {
                    Role role = instance.startsWith("trainer") ? Role.TRAINER : Role.ROLLOUT;
                    story.start(instance, "i" + incarnation++, role, SLOTS.get(instance));
                    started.add(instance);
                }
                case 2 -> {
                    if (started.remove(instance)) {
                        started.removeIf(instance::equals);
                        if (random.nextBoolean()) {
                            story.silence(instance);
                        } else {
                            story.say(instance, random.nextBoolean() ? State.STOPPED : State.DRAINING);
                        }
                    }
                }
                case 3 -> story.pass(Duration.ofSeconds(random.nextInt(12)));
                case 4 -> story.holdUp(Duration.ofSeconds(random.nextInt(20)));
                default -> report(story, random).forEach(story::hear);
            }
            story.happens();
            slotsSuffice(story);
        }
        return story;
    }

    private static List<? extends Event> report(Story story, Random random) {
        String runId = RUNS.get(random.nextInt(RUNS.size()));
        Run run = story.desk.run(runId);
        if (run.service() == null) {
            return List.of(Reports.converted(runId));
        }
        RunAssigned assignment = run.service().assignment();
        RolloutShare share = assignment.rollout().getFirst();
        int trainerEpoch = 1 + random.nextInt(assignment.trainer().trainerEpoch());
        return switch (random.nextInt(12)) {
            case 0 -> List.of(Reports.trainerLost(runId, trainerEpoch, random.nextInt(10) > 0));
            case 1 -> List.of(Reports.engineStopped(runId, share));
            case 2 -> List.of(Reports.saved(runId, random.nextInt(10), random.nextInt(5) == 0));
            case 3 -> random.nextInt(5) == 0 ? List.of(Reports.exported(runId, 10)) : List.of();
            case 4 -> {
                story.desk
                        .stop(runId, "enough")
                        .filter(stop -> random.nextInt(5) == 0)
                        .ifPresent(story::append);
                yield List.of();
            }
            default -> Reports.ofAGoodStart(runId, assignment);
        };
    }

    /** Each assignment has the next epoch, and a trainer epoch belongs to one process. */
    private static void epochsRise(Story story, String runId) {
        Map<Integer, String> processes = new HashMap<>();
        int epoch = 0;
        int trainerEpoch = 0;
        for (RunEvent event : story.log) {
            if (event instanceof RunAssigned assigned && event.runId().equals(runId)) {
                assertThat(assigned.epoch()).isEqualTo(++epoch);
                assertThat(assigned.trainer().trainerEpoch()).isBetween(trainerEpoch, epoch);
                trainerEpoch = assigned.trainer().trainerEpoch();
                String process =
                        assigned.trainer().instanceId() + assigned.trainer().incarnation();
                assertThat(processes.computeIfAbsent(trainerEpoch, any -> process))
                        .isEqualTo(process);
            }
        }
    }

    /** No process is given more than its slots by the runs that have not ended. */
    private static void slotsSuffice(Story story) {
        Map<String, Integer> used = new HashMap<>();
        for (Run run : story.desk.runs()) {
            if (!run.phase().ended() && run.service() != null) {
                RunAssigned assignment = run.service().assignment();
                var trainer = assignment.trainer();
                used.merge(trainer.instanceId() + " " + trainer.incarnation(), 1, Integer::sum);
                assignment
                        .rollout()
                        .forEach(share -> used.merge(
                                share.instanceId() + " " + share.incarnation(), share.engines(), Integer::sum));
            }
        }
        assertThat(used)
                .allSatisfy(
                        (process, slots) -> assertThat(slots).isLessThanOrEqualTo(SLOTS.get(process.split(" ")[0])));
    }
}
