package dev.sluice.trainer.evaluation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.domain.data.Prompt;
import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.Int32Array;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.UInt8Array;
import dev.sluice.trainer.Requests;
import dev.sluice.trainer.dispatch.Work;
import dev.sluice.trainer.prompts.PromptForm;
import dev.sluice.trainer.prompts.PromptSet;
import dev.sluice.trainer.run.RunFolders;
import dev.sluice.trainer.run.TrainedRun;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class EvaluationRoundTest {
    private final Map<Work.Key, GroupEvent> results = new HashMap<>();
    private final EvaluationRound round = new EvaluationRound(
            run(),
            new TrainingRequest.Evaluation("aime", "aime.jsonl", 0, 2, 16, 0.5),
            new PromptSet(
                    List.of(
                            new PromptRow(1, new Prompt.Text("1+1"), "2"),
                            new PromptRow(2, new Prompt.Text("2+2"), "4")),
                    "sha",
                    PromptForm.PLAIN),
            20,
            7,
            Duration.ofMinutes(60));

    @Test
    void asksForEveryRowByExactlyOneVersion() {
        List<Work> wanted = round.wanted(results);

        GroupRequested second = wanted.get(1).task().request(0, "rollout-1", Instant.EPOCH);
        assertThat(wanted).extracting(Work::groupId).containsExactly("run/eval/aime/20/0", "run/eval/aime/20/1");
        assertThat(second.cursor()).isEqualTo(-1);
        assertThat(second.exactWeightVersion()).isEqualTo(7);
        assertThat(second.label()).isEqualTo("4");
        assertThat(second.sampling().temperature()).isEqualTo(0.5);
    }

    @Test
    void asksAgainForARowThatWasAbandoned() {
        abandoned(0, 0);
        sampled(1, 0, 1.0, 0.0);

        assertThat(round.wanted(results)).extracting(Work::key).containsExactly(new Work.Key("run/eval/aime/20/0", 1));
        assertThat(round.isDone(results)).isFalse();
    }

    @Test
    void leavesOutARowThatNobodyFinishes() {
        abandoned(0, 0);
        abandoned(0, 1);
        sampled(1, 0, 1.0, 0.0);

        assertThat(round.isDone(results)).isTrue();
        assertThat(round.summary(results)).isEqualTo(new EvalCompleted("run", 1, "aime", 20, 7, 1, 2, 0.5, 6));
    }

    @Test
    void averagesOverRewardsThatThereAre() {
        sampled(0, 0, 1.0, null);
        sampled(1, 0, 1.0, 0.0);

        EvalCompleted completed = round.summary(results);

        assertThat(completed.samples()).isEqualTo(3);
        assertThat(completed.meanReward()).isEqualTo(2.0 / 3);
    }

    private void abandoned(int row, int inRound) {
        String groupId = "run/eval/aime/20/" + row;
        results.put(
                new Work.Key(groupId, inRound),
                new GroupAbandoned("run", 1, groupId, -1, inRound, 0, "rollout-1", "no engine", 0));
    }

    private void sampled(int row, int inRound, @Nullable Double... rewards) {
        String groupId = "run/eval/aime/20/" + row;
        List<Sample> samples = java.util.stream.IntStream.range(0, rewards.length)
                .mapToObj(i -> sample(i, rewards[i]))
                .toList();
        results.put(
                new Work.Key(groupId, inRound),
                new GroupSampled(
                        "run", 1, groupId, -1, inRound, 0, "rollout-1", Int32Array.of(1), samples, 0, 0.1, null));
    }

    private static Sample sample(int index, @Nullable Double reward) {
        return new Sample(
                index,
                Int32Array.of(1, 2, 3),
                Float32Array.of(0, 0, 0),
                UInt8Array.of((byte) 1, (byte) 1, (byte) 1),
                reward,
                reward == null ? "no reward" : null,
                FinishReason.STOP,
                List.of(),
                "engine",
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }

    private static TrainedRun run() {
        TrainingRequest request = Requests.with(Map.of("data.seed", 7, "rollout.maxRounds", 1));
        return new TrainedRun("run", 1, request, null, new RunFolders(Path.of("run"), 1));
    }
}
