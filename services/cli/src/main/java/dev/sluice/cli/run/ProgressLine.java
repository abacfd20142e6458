package dev.sluice.cli.run;

import dev.sluice.events.RunKind;
import dev.sluice.events.RunMetric;
import dev.sluice.events.TrainingEvent.CheckpointSaved;
import dev.sluice.events.TrainingEvent.StepCompleted;
import dev.sluice.events.TrainingEvent.WaitChanged;
import dev.sluice.events.TrainingEvent.WorkerFellBack;
import java.util.Locale;
import java.util.Map;

/** What a run does just now, on one line. */
final class ProgressLine {
    private ProgressLine() {}

    static String of(RunProjection run) {
        String line = phase(run);
        return run.phase().isOver()
                ? line
                : run.engineTrouble().map(trouble -> line + "; " + trouble).orElse(line);
    }

    private static String phase(RunProjection run) {
        return switch (run.phase()) {
            case REQUESTED -> "waiting for the planner's answer";
            case PLANNED -> "planned; waiting for instances";
            case QUEUED ->
                run.position() == 0
                        ? "queued: " + run.reason()
                        : "queued, place %d: %s".formatted(run.position(), run.reason());
            case STARTING ->
                run.converted() == null && run.kind() != RunKind.ROLLOUT_ONLY
                        ? "converting the checkpoint, " + conversion(run)
                        : "starting engines and the trainer";
            case TRAINING -> training(run);
            case STOPPING -> "stopping: " + run.reason();
            case SUCCEEDED, FAILED, CANCELLED, REJECTED ->
                run.phase().word() + (run.reason().isEmpty() ? "" : ": " + run.reason());
        };
    }

    private static String conversion(RunProjection run) {
        return run.conversionWaitsFor() == null
                ? run.conversionPercent() + " %"
                : "waiting for " + run.conversionWaitsFor();
    }

    private static String training(RunProjection run) {
        CheckpointSaved saved = run.saved();
        if (saved != null && saved.last()) {
            return run.exported() == null
                    ? "exporting the trained checkpoint, " + conversion(run)
                    : "exported; the run ends";
        }
        StepCompleted step = run.lastStep();
        WaitChanged waiting = run.waiting();
        if (step == null) {
            return waiting == null
                    ? run.kind() == RunKind.ROLLOUT_ONLY ? "sampling" : "training begins"
                    : "waiting for " + waiting.waitingFor() + ": " + waiting.reason();
        }
        StringBuilder line =
                new StringBuilder("step %d/%d".formatted(run.ledger().lastStep(), run.stepsPlanned()));
        add(line, step.metrics(), RunMetric.RAW_REWARD.wireName(), "  reward %.3f");
        add(line, step.metrics(), RunMetric.LOSS.wireName(), "  loss %.4f");
        add(line, step.metrics(), RunMetric.TOKENS_PER_SECOND.wireName(), "  %.0f tokens/s");
        line.append(String.format(Locale.ROOT, "  lag %.2f", lag(step)));
        run.ledger()
                .acceptLength()
                .ifPresent(length -> line.append(String.format(Locale.ROOT, "  accept %.2f", length)));
        addTroubles(line, run);
        run.handOver().ifPresent(now -> line.append("  phase ").append(now.text()));
        if (waiting != null) {
            line.append("  waiting for ").append(waiting.waitingFor());
        }
        if (run.pausedBy() != null) {
            line.append("; see \"sluice status %s\", then \"sluice continue %s\"".formatted(run.runId(), run.runId()));
        }
        return line.toString();
    }

    /** What made the run take steps back, or its worker take less at once. */
    private static void addTroubles(StringBuilder line, RunProjection run) {
        if (run.rollbacks() > 0) {
            line.append("  rolled back ").append(run.rollbacks()).append(run.rollbacks() == 1 ? " time" : " times");
        }
        WorkerFellBack memory = run.memory();
        if (memory != null) {
            line.append("  memory rung %d/%d: %s".formatted(memory.rung(), memory.rungs(), memory.difference()));
        }
    }

    /** Mean policy lag of the groups of a step. */
    private static double lag(StepCompleted step) {
        long groups = 0;
        long sum = 0;
        for (int lag = 0; lag < step.policyLags().size(); lag++) {
            groups += step.policyLags().get(lag);
            sum += (long) lag * step.policyLags().get(lag);
        }
        return groups == 0 ? 0 : (double) sum / groups;
    }

    private static void add(StringBuilder line, Map<String, Double> metrics, String name, String format) {
        Double value = metrics.get(name);
        if (value != null) {
            line.append(String.format(Locale.ROOT, format, value));
        }
    }
}
