package dev.sluice.cli.replay;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.sluice.cli.Terminal;
import dev.sluice.domain.replay.ReplayLine;
import dev.sluice.domain.replay.ReplayLine.Comparison;
import dev.sluice.domain.replay.ReplayLine.Trained;
import dev.sluice.events.EventJson;
import dev.sluice.events.RunMetric;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Shows a replay as it goes, and what it came to. */
public final class ReplayView {
    private static final String STEP = "%5d  %-23s  %-23s  %-23s  %s";
    private static final int SHOWN_OF_A_HASH = 12;

    private final Terminal terminal;
    private final String runId;
    private final List<Trained> steps = new ArrayList<>();
    private ReplayLine.@Nullable Begun begun;

    public ReplayView(Terminal terminal, String runId) {
        this.terminal = terminal;
        this.runId = runId;
    }

    /** Takes a line of the report. */
    public void take(ReplayLine line) {
        if (line.begun() != null) {
            begun = line.begun();
            terminal.say("from step %d (%s) to step %d".formatted(begun.step(), begun.directory(), begun.last()));
            terminal.say(" step  loss                     gradient norm            kl                       weights");
        }
        if (line.trained() != null) {
            steps.add(line.trained());
            terminal.say(text(line.trained()));
        }
    }

    private static String text(Trained step) {
        return STEP.formatted(
                        step.step(),
                        pair(step, RunMetric.LOSS),
                        pair(step, RunMetric.GRADIENT_NORM),
                        pair(step, RunMetric.KL),
                        weights(step))
                .stripTrailing();
    }

    private static String pair(Trained step, RunMetric metric) {
        String before = figure(step.recorded(), metric);
        String now = figure(step.figures(), metric);
        return before.equals(now) ? now : before + " -> " + now;
    }

    private static String figure(Map<String, Double> figures, RunMetric metric) {
        Double value = figures.get(metric.wireName());
        return value == null ? "-" : String.format(Locale.ROOT, "%.6g", value);
    }

    private static String weights(Trained step) {
        return switch (step.comparison()) {
            case SAME -> "the same";
            case OTHER ->
                step.changed()
                        ? shortened(step.weightsSha256())
                        : "OTHER: %s, recorded %s"
                                .formatted(shortened(step.weightsSha256()), shortened(step.recordedSha256()));
            case UNKNOWN -> "not recorded";
        };
    }

    private static String shortened(@Nullable String hash) {
        return hash == null ? "-" : hash.substring(0, Math.min(SHOWN_OF_A_HASH, hash.length()));
    }

    /** Whether every step that was trained with the run's own settings has the weights that the run had. */
    public boolean reproduced() {
        return steps.stream().noneMatch(step -> !step.changed() && step.comparison() == Comparison.OTHER);
    }

    /**
     * The end.
     *
     * @param export where the result lies, if it was wanted
     */
    public void show(@Nullable String export) {
        long same = count(Comparison.SAME);
        if (terminal.json()) {
            ObjectNode json = EventJson.mapper().createObjectNode();
            json.put("runId", runId).put("begun", begun == null ? null : begun.step());
            json.put("reproduced", reproduced()).put("same", same).put("unknown", count(Comparison.UNKNOWN));
            json.put("export", export);
            json.set("steps", EventJson.mapper().valueToTree(steps));
            terminal.result(json.toPrettyString());
            return;
        }
        long changed = steps.stream().filter(Trained::changed).count();
        terminal.result("%d steps trained again: %d with the weights that the run had%s%s%s"
                .formatted(
                        steps.size(),
                        same,
                        changed == 0 ? "" : ", %d with other settings".formatted(changed),
                        count(Comparison.UNKNOWN) == 0
                                ? ""
                                : ", %d whose weights were not recorded".formatted(count(Comparison.UNKNOWN)),
                        reproduced() ? "" : ", the others with other weights"));
        if (export != null) {
            terminal.result("the result lies in " + export);
        }
    }

    private long count(Comparison comparison) {
        return steps.stream().filter(step -> step.comparison() == comparison).count();
    }
}
