package dev.sluice.trainer.loop;

import dev.sluice.domain.data.PromptRow;
import dev.sluice.domain.training.BatchRows;
import dev.sluice.events.Event;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.MetricPoint;
import dev.sluice.events.TrainingEvent.EvalCompleted;
import dev.sluice.events.TrainingRequest.Evaluation;
import dev.sluice.trainer.evaluation.Evaluations;
import dev.sluice.trainer.prompts.LessonGroups;
import dev.sluice.trainer.run.TrainedRun;
import dev.sluice.trainer.worker.Worker;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures held-out lessons by the worker's model: the mean log-probability of a learnt token stands as the set's reward,
 * and its negative, the loss, as a figure of its own.
 */
record HeldOutLoss(TrainedRun run, Evaluations evaluations, LessonGroups lessons, BatchFiles batches, Worker worker) {
    private static final int ROWS_AT_ONCE = 64;

    /** What one set gave. */
    private static final class Sum {
        private double logprobs;
        private long tokens;
    }

    List<Event> measure(Evaluation set, int step, Instant at) {
        List<PromptRow> rows = evaluations.prompts(set).rows();
        Sum sum = new Sum();
        for (int first = 0; first < rows.size(); first += ROWS_AT_ONCE) {
            add(rows.subList(first, Math.min(rows.size(), first + ROWS_AT_ONCE)), sum);
        }
        double mean = sum.logprobs / Math.max(1, sum.tokens);
        return List.of(
                new EvalCompleted(run.runId(), run.epoch(), set.name(), step, 0, rows.size(), rows.size(), mean, 0),
                new MetricPoint(run.runId(), "eval/%s/loss".formatted(set.name()), step, 0, -mean, at));
    }

    private void add(List<PromptRow> rows, Sum sum) {
        List<GroupSampled> groups = new ArrayList<>();
        for (PromptRow row : rows) {
            groups.add(lessons.group(groups.size(), row));
        }
        BatchRows batch = BatchRows.of(groups, run.batchRules().inOneStep());
        float[] logprobs = batches.heldOutLogprobs(batch, worker);
        for (int token = 0; token < logprobs.length; token++) {
            if (batch.lossMask()[token] != 0) {
                sum.logprobs += logprobs[token];
                sum.tokens++;
            }
        }
    }
}
