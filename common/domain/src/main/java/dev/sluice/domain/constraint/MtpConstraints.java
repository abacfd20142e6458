package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What training the multi-token-prediction (MTP) layer needs. */
final class MtpConstraints {
    private static final String LAYERS = "--mtp-num-layers";
    private static final List<String> POSITIONS = List.of("rope", "mrope", "learned_absolute", "none");

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "M36",
                    Severity.ERROR,
                    "training.megatron",
                    "MTP layers need positions of a kind that they know",
                    "Megatron arguments.py validate_args",
                    MtpConstraints::positions),
            new Constraint(
                    "M37",
                    Severity.ERROR,
                    "training.mtp.train",
                    "training the MTP layer needs one",
                    "slime arguments.py slime_validate_args",
                    MtpConstraints::layers));

    private MtpConstraints() {}

    private static boolean trained(Candidate candidate) {
        return candidate.training().mtpTrained() || Given.has(candidate, "--enable-mtp-training");
    }

    private static @Nullable Breach positions(Candidate candidate) {
        String kind = Given.text(candidate, "--position-embedding-type", "rope");
        if (POSITIONS.contains(kind) || !trained(candidate) && Given.count(candidate, LAYERS, 0) < 1) {
            return null;
        }
        return new Breach(
                "an MTP layer is built, which does not know %s positions".formatted(kind),
                "set --position-embedding-type to rope, or training.mtp.train to false");
    }

    private static @Nullable Breach layers(Candidate candidate) {
        if (!trained(candidate)) {
            return null;
        }
        int layers = Given.count(
                candidate,
                LAYERS,
                Given.script(candidate) ? 0 : candidate.model().mtpLayers());
        if (layers > 0) {
            return null;
        }
        boolean some = candidate.model().mtpLayers() > 0;
        return new Breach(
                some
                        ? "the MTP layer is to be trained, but %s is not given".formatted(LAYERS)
                        : "the MTP layer is to be trained, but the checkpoint has none",
                some
                        ? "add %s %d, or set training.mtp.train to false"
                                .formatted(LAYERS, candidate.model().mtpLayers())
                        : "set training.mtp.train to false");
    }
}
