package dev.sluice.trainer.scenario;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.Topics;
import dev.sluice.events.TrainingEvent.BatchFormed;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.GroupUse;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.TrainerReady;
import dev.sluice.testkit.EventLog;
import dev.sluice.testkit.KafkaBroker;
import dev.sluice.trainer.loop.RunTrainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** PPO, whose advantages are known only when the critic was asked: after the batch was logged. */
@ExtendWith(KafkaBroker.class)
class CriticRunIT {
    private static final Duration DEADLINE = Duration.ofSeconds(60);

    @TempDir
    Path dataRoot;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSuccessorTrainsOnTheAdvantagesThatTheKilledTrainerWouldHave(boolean workerSurvives, KafkaBroker kafka)
            throws IOException {
        String runId = kafka.newRunId("critic");
        try (Scenario scenario = new Scenario(
                        kafka.connection("trainer-test"),
                        runId,
                        dataRoot,
                        Map.of("rollout.maxPolicyLag", 1, "algorithm.name", "ppo"));
                EventLog log = kafka.follow(Topics.TRAINING, Topics.GROUP_EVENTS);
                SmallRollout rollout = new SmallRollout(kafka.connection("rollout-test"), runId)) {
            rollout.pauseAt(4);
            RunTrainer first = scenario.trainer(1);
            first.start();
            log.await(runId, StepCompleted.class, completed -> completed.step() == 4, DEADLINE);

            first.supersede(); // leaves everything as kill -9 would
            if (!workerSurvives) {
                scenario.stopWorker();
            }
            RunTrainer second = scenario.trainer(2);
            second.start();
            rollout.goOn();
            CheckpointSaved last = log.await(runId, CheckpointSaved.class, CheckpointSaved::last, DEADLINE);

            assertThat(log.events(runId, TrainerReady.class).getLast().how())
                    .isEqualTo(workerSurvives ? "attached to a living worker" : "resumed from a cut");
            assertThat(log.events(runId, StepCompleted.class))
                    .extracting(StepCompleted::step)
                    .containsExactly(1, 2, 3, 4, 5, 6, 7, 8);
            assertThat(log.events(runId, StepCompleted.class).getFirst().metrics())
                    .containsEntry("rollout/values", 0.25)
                    .containsKey("rollout/returns");
            assertThat(Files.readAllLines(Path.of(last.directory(), "weights.txt"))
                            .get(1))
                    .isEqualTo(weightsByTheLog(log, runId));
            second.end(DEADLINE);
        }
    }

    /**
     * Independent of the trainer: with gamma and lambda 1 the advantage of every token is the response's reward, 0 or 1 in each
     * group, less the token's value, which the worker gives by its weights of before the step.
     */
    private static String weightsByTheLog(EventLog log, String runId) {
        Map<String, GroupSampled> results = log.recordsOf(runId).stream()
                .filter(record -> record.event() instanceof GroupSampled)
                .collect(Collectors.toMap(record -> record.id().toString(), record -> (GroupSampled) record.event()));
        String weights = "source";
        for (BatchFormed formed : log.events(runId, BatchFormed.class)) {
            List<Integer> tokens = new ArrayList<>();
            List<Float> advantages = new ArrayList<>();
            for (GroupUse use : formed.groups()) {
                GroupSampled result = results.get(use.resultId());
                for (GroupEvent.Sample sample : result.samples()) {
                    IntStream.of(result.promptTokens().toArray()).forEach(tokens::add);
                    IntStream.of(sample.tokens().toArray()).forEach(tokens::add);
                    float advantage = (float) ((double) sample.index() - ChainWorkerMain.value(weights));
                    advantages.addAll(Collections.nCopies(result.promptTokens().length(), 0f));
                    advantages.addAll(Collections.nCopies(sample.tokens().length(), advantage));
                }
            }
            weights = formed.groups().isEmpty()
                    ? weights
                    : ChainWorkerMain.chain(weights, tokens.toString() + advantages.toString());
        }
        return weights;
    }
}
