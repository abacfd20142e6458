package dev.sluice.trainer.metrics;

import dev.sluice.events.RunKind;
import dev.sluice.events.RunMetric;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;

/** Which figures of a step say something of given answers: these have no reward and no policy that sampled them. */
public final class LessonFigures {
    private static final Set<RunMetric> MEANT = EnumSet.of(
            RunMetric.RESPONSE_LENGTH,
            RunMetric.LOSS,
            RunMetric.MTP_LOSS,
            RunMetric.ENTROPY,
            RunMetric.GRADIENT_NORM,
            RunMetric.STEP_SECONDS,
            RunMetric.TRAIN_SECONDS,
            RunMetric.TOKENS_PER_SECOND);

    private LessonFigures() {}

    /** Leaves out the others, where the run learns given answers. */
    public static void keep(Map<String, Double> figures, RunKind kind) {
        if (kind == RunKind.SUPERVISED) {
            figures.keySet().retainAll(MEANT.stream().map(RunMetric::wireName).toList());
        }
    }
}
