package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/** How layers split into pipeline stages. */
final class PipelineConstraints {
    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M08",
                    Severity.ERROR,
                    "training.layout.lastStageLayers",
                    "PP divides the layers where the first and last stage have no number of their own",
                    "Megatron arguments.py validate_args",
                    PipelineConstraints::evenStages),
            new Constraint(
                    "M09",
                    Severity.ERROR,
                    "training.layout",
                    "layers that the first and last stage leave divide over the stages between them",
                    "Megatron transformer_config",
                    PipelineConstraints::unevenStages),
            new Constraint(
                    "M10",
                    Severity.ERROR,
                    "training.layout",
                    "one stage has no first and last stage of their own",
                    "slime backends/megatron_utils/arguments.py",
                    PipelineConstraints::oneStage),
            new Constraint(
                    "M11",
                    Severity.ERROR,
                    "training.megatron",
                    "stages are split by one method",
                    "Megatron transformer_config",
                    PipelineConstraints::oneMethod),
            new Constraint(
                    "M12",
                    Severity.ERROR,
                    "training.megatron",
                    "interleaved schedules need enough stages and layers that come out even",
                    "Megatron validate_args; transformer_config",
                    InterleavedSchedule::breach),
            new Constraint(
                    "M13",
                    Severity.ERROR,
                    "training.layout",
                    "each stage starts on a layer that computes its own sparse attention index",
                    "Megatron experimental_attention_variant; slime run-glm5.2-744B-A40B.sh",
                    PipelineConstraints::indexSharing));

    private PipelineConstraints() {}

    private static boolean split(Layout layout) {
        return layout.firstStageLayers() != null || layout.lastStageLayers() != null;
    }

    private static @Nullable Breach evenStages(Candidate candidate) {
        Layout layout = candidate.training().layout();
        int counted = Stages.counted(candidate);
        if (layout.pp() <= 1 || split(layout) || Given.has(candidate, Stages.LAYOUT) || counted % layout.pp() == 0) {
            return null;
        }
        int layers = candidate.model().layers();
        String with = counted == layers ? "" : " with embedding and loss counted (%d)".formatted(counted);
        return new Breach(
                "%d layers%s do not divide into %d pipeline stages".formatted(layers, with, layout.pp()),
                lastStage(layers, layout.pp()));
    }

    private static String lastStage(int layers, int stages) {
        OptionalInt last = Stages.lastStage(layers, stages);
        if (last.isEmpty()) {
            return "set training.layout.pp to " + Divisors.choice(Divisors.of(layers));
        }
        int others = (layers - last.getAsInt()) / (stages - 1);
        return "set training.layout.lastStageLayers to %d (--decoder-last-pipeline-num-layers %d), which leaves %d a stage"
                .formatted(last.getAsInt(), last.getAsInt(), others);
    }

    private static @Nullable Breach unevenStages(Candidate candidate) {
        Layout layout = candidate.training().layout();
        if (layout.pp() <= 1 || !split(layout) || Given.has(candidate, Stages.LAYOUT)) {
            return null;
        }
        if (Stages.of(candidate) != null) {
            return null;
        }
        int layers = candidate.model().layers();
        return new Breach(
                "of %d layers the first stage takes %s and the last %s, which leaves %d for %d stages between them"
                        .formatted(
                                layers,
                                told(layout.firstStageLayers()),
                                told(layout.lastStageLayers()),
                                Stages.middleLayers(layers, layout),
                                Stages.middleStages(layout)),
                layers % layout.pp() == 0
                        ? "leave training.layout.firstStageLayers and lastStageLayers out: %d layers a stage"
                                .formatted(layers / layout.pp())
                        : "leave training.layout.firstStageLayers out and " + lastStage(layers, layout.pp()));
    }

    private static String told(@Nullable Integer layers) {
        return layers == null ? "its share" : layers.toString();
    }

    private static @Nullable Breach oneStage(Candidate candidate) {
        Layout layout = candidate.training().layout();
        if (layout.pp() != 1 || !split(layout)) {
            return null;
        }
        boolean last = layout.lastStageLayers() != null;
        return new Breach(
                "the %s stage is given %d layers, but PP is 1"
                        .formatted(
                                last ? "last" : "first", last ? layout.lastStageLayers() : layout.firstStageLayers()),
                "remove training.layout.firstStageLayers and lastStageLayers (--decoder-first-pipeline-num-layers,"
                        + " --decoder-last-pipeline-num-layers)");
    }

    private static @Nullable Breach oneMethod(Candidate candidate) {
        Layout layout = candidate.training().layout();
        boolean counts = Given.has(candidate, Stages.EMBEDDING) || Given.has(candidate, Stages.LOSS);
        boolean own = Given.has(candidate, Stages.LAYOUT);
        // With one stage, M10 tells of its layers.
        boolean split = layout.pp() > 1 && split(layout);
        if ((split ? 1 : 0) + (counts ? 1 : 0) + (own ? 1 : 0) < 2) {
            return null;
        }
        String methods = (split ? ", layers of the first or last stage" : "")
                + (counts ? ", --account-for-...-in-pipeline-split" : "")
                + (own ? ", " + Stages.LAYOUT : "");
        return new Breach("stages are split by more than one method: " + methods.substring(2), "keep one of them");
    }

    private static @Nullable Breach indexSharing(Candidate candidate) {
        ModelSpec.Indexer indexer = candidate.model().indexer();
        if (indexer == null || indexer.every() <= 1) {
            return null;
        }
        Stages stages = Stages.of(candidate);
        if (stages == null) {
            return null;
        }
        OptionalInt reusing = stages.firstReusing(indexer);
        if (reusing.isEmpty()) {
            return null;
        }
        int stage = reusing.getAsInt();
        int pp = candidate.training().layout().pp();
        return new Breach(
                "pipeline stage %d of %d starts on layer %d, which uses the sparse attention index of an earlier layer"
                        .formatted(stage + 1, pp, stages.start(stage)),
                computingSplit(candidate.model().layers(), pp, indexer));
    }

    /** The split nearest to an even one whose stages all start on a layer that computes its index. */
    private static String computingSplit(int layers, int stages, ModelSpec.Indexer indexer) {
        long best = Long.MAX_VALUE;
        String mend =
                "set training.layout.pp to fewer stages: no split of %d layers into %d starts each on such a layer"
                        .formatted(layers, stages);
        for (int first = 1; first < layers; first++) {
            for (int last = 1; first + last <= layers; last++) {
                Layout split = new Layout(1, stages, 1, 1, 1, first, last);
                int rest = Stages.middleLayers(layers, split);
                int middle = Stages.middleStages(split);
                if (middle == 0 ? rest != 0 : rest == 0 || rest % middle != 0) {
                    continue;
                }
                int each = middle == 0 ? 0 : rest / middle;
                long cost = (long) first * first + (long) last * last + (long) middle * each * each;
                if (cost < best && computes(first, each, middle, indexer)) {
                    best = cost;
                    mend = "set training.layout.firstStageLayers to %d and lastStageLayers to %d"
                            .formatted(first, last);
                }
            }
        }
        return mend;
    }

    private static boolean computes(int first, int each, int middle, ModelSpec.Indexer indexer) {
        for (int stage = 0; stage <= middle; stage++) {
            if (Stages.reuses(indexer, 1 + first + stage * each)) {
                return false;
            }
        }
        return true;
    }
}
