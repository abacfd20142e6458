package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import org.jspecify.annotations.Nullable;

/** What Megatron asks of virtual pipeline stages (VPP). */
final class InterleavedSchedule {
    private static final String LAYERS = "--num-layers-per-virtual-pipeline-stage";
    private static final String STAGES = "--num-virtual-stages-per-pipeline-rank";

    private InterleavedSchedule() {}

    static @Nullable Breach breach(Candidate candidate) {
        boolean layers = Given.has(candidate, LAYERS);
        boolean stages = Given.has(candidate, STAGES);
        if (!layers && !stages) {
            return null;
        }
        String why = why(candidate, layers, stages);
        return why == null
                ? null
                : new Breach(
                        "an interleaved schedule is not possible here: " + why,
                        "leave %s out of training.megatron".formatted(layers ? LAYERS : STAGES));
    }

    private static @Nullable String why(Candidate candidate, boolean layers, boolean stages) {
        if (layers && stages || Given.has(candidate, Stages.LAYOUT)) {
            return "%s, %s and %s exclude one another".formatted(LAYERS, STAGES, Stages.LAYOUT);
        }
        Layout layout = candidate.training().layout();
        if (layers && (layout.firstStageLayers() != null || layout.lastStageLayers() != null)) {
            return "uneven stages take %s, not %s".formatted(STAGES, LAYERS);
        }
        int counted = Stages.counted(candidate);
        if (layers && (layout.pp() < 1 || counted % layout.pp() != 0)) {
            // M01 and M08 tell of the stages themselves.
            return null;
        }
        int virtual = Stages.virtual(candidate);
        if (virtual < 1) {
            return layers
                    ? "%d layers a stage are not a multiple of %s a virtual stage"
                            .formatted(counted / layout.pp(), Given.text(candidate, LAYERS, "no"))
                    : "%s virtual stages a rank".formatted(Given.text(candidate, STAGES, "no"));
        }
        return virtual == 1 ? null : why(candidate, virtual);
    }

    private static @Nullable String why(Candidate candidate, int virtual) {
        int pp = candidate.training().layout().pp();
        // Without overlap, two ranks would send and receive between each other twice in one batch.
        int least = Given.has(candidate, "--no-overlap-p2p-communication") ? 3 : 2;
        if (pp < least) {
            return "PP is %d and must be at least %d".formatted(pp, least);
        }
        Stages split = Stages.of(candidate);
        if (split == null) {
            return null;
        }
        for (int stage = 0; stage < split.slots().size(); stage++) {
            if (split.slots().get(stage) % virtual != 0) {
                return "stage %d has %d layers, no multiple of %d virtual stages"
                        .formatted(stage + 1, split.slots().get(stage), virtual);
            }
        }
        return null;
    }
}
