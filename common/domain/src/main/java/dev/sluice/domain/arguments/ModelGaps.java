package dev.sluice.domain.arguments;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.QueryKeyNorm;
import dev.sluice.domain.model.ModelSpec.RopeScaling;
import dev.sluice.events.Problem;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * What a model has and Megatron-Core of a version cannot train from flags alone. Trainers that bring layers of their own,
 * as slime does, can.
 *
 * @see <a href="https://github.com/NVIDIA/Megatron-LM/tree/main/megatron/core">gated_delta_net.py and dsa.py of the
 *     releases 0.16 to 0.19, for packed sequences; transformer_config.py for the rest</a>
 */
final class ModelGaps {
    private static final String DELTA_NET_PACKS_SINCE = "0.18";
    private static final String SPARSE_ATTENTION_PACKS_SINCE = "0.19";
    private static final String PLAIN_YARN_SINCE = "0.19";
    private static final String MTP_DETACHED_SINCE = "0.19";

    private final Version megatron;
    private final List<Problem> problems = new ArrayList<>();

    private ModelGaps(Version megatron) {
        this.megatron = megatron;
    }

    static List<Problem> of(Candidate candidate) {
        if (candidate.installed().trainer().startsWith("slime")) {
            return List.of();
        }
        ModelGaps gaps = new ModelGaps(candidate.installed().megatron());
        gaps.versions(candidate.model());
        gaps.layers(candidate.model());
        gaps.mtp(candidate.training().mtpTrained());
        return gaps.problems;
    }

    private void versions(ModelSpec model) {
        if (model.linearAttention() != null && !megatron.atLeast(DELTA_NET_PACKS_SINCE)) {
            tooOld("gated delta-net layers take no packed batches", DELTA_NET_PACKS_SINCE);
        }
        if (model.indexer() != null && !megatron.atLeast(SPARSE_ATTENTION_PACKS_SINCE)) {
            tooOld("sparse attention (DSA) takes no packed batches", SPARSE_ATTENTION_PACKS_SINCE);
        }
        RopeScaling scaling = model.rotary().scaling();
        boolean yarn = scaling != null && scaling.type().equals("yarn");
        if (yarn && !model.latent() && !megatron.atLeast(PLAIN_YARN_SINCE)) {
            tooOld("YaRN positions exist for MLA only", PLAIN_YARN_SINCE);
        }
    }

    private void tooOld(String what, String since) {
        problems.add(Problem.error(
                "versions.megatron",
                "versions.megatron",
                "in Megatron-Core %s %s".formatted(megatron, what),
                "install Megatron-Core %s or newer".formatted(since)));
    }

    private void mtp(boolean trained) {
        if (trained && !megatron.atLeast(MTP_DETACHED_SINCE)) {
            problems.add(Problem.warning(
                    "versions.megatron",
                    "training.mtp.train",
                    "Megatron-Core %s has no --mtp-detach-heads: the MTP loss moves the policy too, unless the worker keeps it from that"
                            .formatted(megatron),
                    "install Megatron-Core %s or newer".formatted(MTP_DETACHED_SINCE)));
        }
    }

    private void layers(ModelSpec model) {
        positions(model);
        if (model.linearAttention() != null && model.indexer() != null) {
            missing(model, "delta-net layers beside sparse attention");
        }
        if (model.postNorms()) {
            missing(model, "norms behind attention and feed-forward");
        }
        if (model.attention() instanceof GroupedQueryAttention grouped && grouped.norm() == QueryKeyNorm.FULL) {
            missing(model, "query and key norms over all heads");
        }
    }

    private void positions(ModelSpec model) {
        RopeScaling scaling = model.rotary().scaling();
        if (scaling != null && !Set.of("linear", "llama3", "yarn").contains(scaling.type())) {
            missing(model, "positions scaled by " + scaling.type());
        }
        if (model.attention() instanceof GroupedQueryAttention grouped && grouped.sinks()) {
            missing(model, "attention sinks");
        }
    }

    private void missing(ModelSpec model, String what) {
        problems.add(Problem.error(
                "versions.trainer",
                "model.path",
                "%s has %s, and Megatron-Core %s has no flag for them".formatted(model.modelType(), what, megatron),
                "use a trainer that brings such layers, and declare it in versions.trainer, such as slime@2026-08-21"));
    }
}
