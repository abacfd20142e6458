package dev.sluice.trainer.evaluation;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.events.Rollout;
import dev.sluice.events.Rollout.PartialRollout;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingRequest.Evaluation;
import dev.sluice.trainer.dispatch.Work;
import dev.sluice.trainer.prompts.PromptSet;
import dev.sluice.trainer.run.TrainedRun;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * One measurement of one set: every row is a group of its own, sampled by exactly one weight version. A row that was
 * abandoned is asked for again in a next round; one that nobody finishes is left out and shows as a missing prompt.
 *
 * @param step steps trained before it
 * @param version the only weight version that may sample it
 * @param deadline that an instance has for a row, the others before it included
 */
record EvaluationRound(TrainedRun run, Evaluation set, PromptSet prompts, int step, int version, Duration deadline) {

    List<Work> wanted(Map<Work.Key, GroupEvent> results) {
        return rows().mapToObj(row -> nextRound(row, results).map(round -> work(row, round)))
                .flatMap(Optional::stream)
                .toList();
    }

    boolean isDone(Map<Work.Key, GroupEvent> results) {
        return rows().allMatch(row -> nextRound(row, results).isEmpty());
    }

    int measured(Map<Work.Key, GroupEvent> results) {
        return (int) rows().filter(row -> nextRound(row, results).isEmpty()).count();
    }

    EvalCompleted summary(Map<Work.Key, GroupEvent> results) {
        List<GroupSampled> groups = rows().mapToObj(row -> sampled(row, results))
                .flatMap(Optional::stream)
                .toList();
        List<Double> rewards = groups.stream()
                .flatMap(group -> group.samples().stream())
                .map(GroupEvent.Sample::reward)
                .filter(Objects::nonNull)
                .toList();
        long tokens = groups.stream()
                .flatMap(group -> group.samples().stream())
                .mapToLong(sample -> sample.tokens().length())
                .sum();
        double mean =
                rewards.stream().mapToDouble(Double::doubleValue).average().orElse(0);
        return new EvalCompleted(
                run.runId(), run.epoch(), set.name(), step, version, groups.size(), rewards.size(), mean, tokens);
    }

    /** What was sampled, by row in the file's order. */
    Map<PromptRow, GroupSampled> sampled(Map<Work.Key, GroupEvent> results) {
        Map<PromptRow, GroupSampled> sampled = new LinkedHashMap<>();
        rows().forEach(row -> sampled(row, results)
                .ifPresent(group -> sampled.put(prompts.rows().get(row), group)));
        return sampled;
    }

    private IntStream rows() {
        return IntStream.range(0, prompts.rows().size());
    }

    private Optional<Integer> nextRound(int row, Map<Work.Key, GroupEvent> results) {
        for (int round = 0; round <= run.request().rollout().maxRounds(); round++) {
            switch (results.get(new Work.Key(groupId(row), round))) {
                case null -> {
                    return Optional.of(round);
                }
                case GroupAbandoned abandoned -> {}
                case GroupSampled sampled when !isOfThisVersion(sampled) -> {}
                case GroupEvent result -> {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    private Optional<GroupSampled> sampled(int row, Map<Work.Key, GroupEvent> results) {
        return Stream.iterate(0, round -> round <= run.request().rollout().maxRounds(), round -> round + 1)
                .map(round -> results.get(new Work.Key(groupId(row), round)))
                .filter(GroupSampled.class::isInstance)
                .map(GroupSampled.class::cast)
                .filter(this::isOfThisVersion)
                .findFirst();
    }

    /** Weights that replaced others after a recovery are another version, measured anew. */
    private boolean isOfThisVersion(GroupSampled group) {
        return group.samples().stream()
                .flatMap(sample -> sample.versions().stream())
                .allMatch(span -> span.version() == version);
    }

    private String groupId(int row) {
        return "%s/eval/%s/%d/%d".formatted(run.runId(), set.name(), step, row);
    }

    private Work work(int row, int round) {
        return new Work(
                groupId(row),
                round,
                set.samplesPerPrompt(),
                version,
                run.kind().trains(),
                (int) deadline.toSeconds(),
                (attempt, instanceId, deadline) -> new GroupRequested(
                        run.runId(),
                        run.epoch(),
                        groupId(row),
                        -1,
                        round,
                        attempt,
                        instanceId,
                        prompts.prompt(row),
                        prompts.label(row),
                        run.request().reward().type(),
                        set.samplesPerPrompt(),
                        sampling(row, round),
                        version,
                        run.kind().trains() ? version : null,
                        deadline,
                        PartialRollout.RESTART,
                        List.of(),
                        prompts.metadata(row),
                        run.request().reward(),
                        run.request().rollout().turns(),
                        run.request().rollout().hooks()));
    }

    private Sampling sampling(int row, int round) {
        long seed = Objects.hash(run.request().data().seed(), set.name(), row, round) & Long.MAX_VALUE;
        Rollout rollout = run.request().rollout();
        boolean trains = run.kind().trains();
        return new Sampling(
                set.temperature(),
                trains ? 1.0 : rollout.topP(),
                trains ? -1 : rollout.topK(),
                set.maxResponseTokens(),
                seed,
                rollout.stop(),
                rollout.stopTokenIds(),
                rollout.stopRegex());
    }
}
