package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Quantization;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.spelling.Spelling;
import java.util.List;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/** Checkpoints: what can be converted, where it lies, how its vocabulary is padded. */
final class CheckpointConstraints {
    private static final double GIB = 1L << 30;

    /** A file of a published checkpoint, which a converter holds beside its weights. */
    private static final double SHARD_GIB = 5;

    /** Rows that Megatron pads the vocabulary to, times TP, where nothing is given: arguments.py. */
    private static final int DEFAULT_PADDING = 128;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "C01",
                    Severity.ERROR,
                    "model.path",
                    "the trainer converts checkpoints of the model's family",
                    "slime megatron_utils/hf_to_megatron; Sluice's name maps",
                    CheckpointConstraints::family),
            new Constraint(
                    "C02",
                    Severity.ERROR,
                    "training.mtp.train",
                    "the installed trainer trains the MTP layer of the model's family",
                    "slime pull request 1712 (2026-03-11); mbridge deepseek_v3.py maps layer 61 alone",
                    CheckpointConstraints::mtpTraining),
            new Constraint(
                    "C03",
                    Severity.ERROR,
                    "training.mtp.train",
                    "a trained MTP layer of DeepSeek's layout is the only one",
                    "mbridge deepseek_v3.py; SGLang's loaders of MTP layers",
                    CheckpointConstraints::mtpLayers),
            new Constraint(
                    "C04",
                    Severity.ERROR,
                    "model.path",
                    "what is trained starts from weights in bf16, or from block fp8 where the trainer reads it",
                    "slime docs/en/examples/deepseek-r1.md; Sluice's converter",
                    CheckpointConstraints::quantised),
            new Constraint(
                    "C05",
                    Severity.WARNING,
                    "model.path",
                    "weights alone fit the GPUs that convert them, each with at least one layer",
                    "slime tools/convert_hf_to_torch_dist.py",
                    CheckpointConstraints::conversion),
            new Constraint(
                    "C06",
                    Severity.ERROR,
                    "cluster.sharedRoots",
                    "with several nodes, each file lies on storage that all of them see",
                    "slime docs/en/get_started/quick_start.md",
                    CheckpointConstraints::shared),
            new Constraint(
                    "C07",
                    Severity.ERROR,
                    "training.megatron.make-vocab-size-divisible-by",
                    "the padded vocabulary holds the model's and divides over TP",
                    "Megatron vocab_size_with_padding",
                    CheckpointConstraints::vocabulary));

    private CheckpointConstraints() {}

    private static @Nullable Breach family(Candidate candidate) {
        String trainer = candidate.installed().trainer();
        TrainerCapabilities capabilities = TrainerCapabilities.of(trainer);
        if (capabilities == null) {
            return new Breach(
                    "nothing is known of the trainer %s".formatted(trainer),
                    "set versions.trainer to one of %s, with a version or day, such as slime@2026-08-21"
                            .formatted(String.join(", ", TrainerCapabilities.trainers())));
        }
        String family = candidate.model().modelType();
        if (capabilities.converted().contains(family)) {
            return null;
        }
        return new Breach(
                "%s converts no checkpoint of model_type %s%s"
                        .formatted(trainer, family, Spelling.didYouMean(family, capabilities.families())),
                "use a model of one of the types %s".formatted(String.join(", ", capabilities.families())));
    }

    private static @Nullable Breach mtpTraining(Candidate candidate) {
        String trainer = candidate.installed().trainer();
        TrainerCapabilities capabilities = TrainerCapabilities.of(trainer);
        String family = candidate.model().modelType();
        // A family that is not converted at all is C01's.
        if (!candidate.training().mtpTrained()
                || candidate.model().mtpLayers() == 0
                || capabilities == null
                || !capabilities.converted().contains(family)
                || capabilities.trainsMtp(family, trainer)) {
            return null;
        }
        String since = capabilities.mtpSince(family);
        String off = "set training.mtp.train to false: the layer still drafts, with weights that stay as they are"
                + " [--enable-mtp-training]";
        return new Breach(
                "%s does not train the MTP layer of %s%s"
                        .formatted(trainer, family, since == null ? "" : ", only from " + since + " on"),
                since == null ? off : "install slime of %s or later, or %s".formatted(since, off));
    }

    private static @Nullable Breach mtpLayers(Candidate candidate) {
        ModelSpec model = candidate.model();
        if (!candidate.training().mtpTrained()
                || model.mtpLayers() <= 1
                || !TrainerCapabilities.oneMtpLayer(model.modelType())) {
            return null;
        }
        return new Breach(
                "the checkpoint has %d MTP layers, and of %s's layout only one is supported"
                        .formatted(model.mtpLayers(), model.modelType()),
                "set training.mtp.train to false [--enable-mtp-training]");
    }

    private static @Nullable Breach quantised(Candidate candidate) {
        Quantization quantization = candidate.model().quantization();
        Flags slime = candidate.workload().slime();
        boolean converted = slime.has("--ref-load") || slime.has("--load");
        String trainer = candidate.installed().trainer();
        TrainerCapabilities capabilities = TrainerCapabilities.of(trainer);
        // An unknown trainer is C01's.
        if (quantization == null || converted || capabilities == null || capabilities.reads(quantization)) {
            return null;
        }
        return new Breach(
                "%s cannot train from weights quantised as %s".formatted(trainer, quantization.method()),
                "set model.path to a bf16 copy, and model.rolloutPath to this checkpoint for the engines"
                        + " [--ref-load of the converted copy]");
    }

    private static @Nullable Breach conversion(Candidate candidate) {
        ModelSpec model = candidate.model();
        Cluster cluster = candidate.cluster();
        // Sluice's converter needs no GPUs.
        if (!TrainerCapabilities.name(candidate.installed().trainer()).equals("slime")
                || cluster.trainGpus() < 1
                || model.layers() < 1) {
            return null;
        }
        int stages = Math.min(cluster.trainGpus(), model.layers());
        double needed = 2.0 * new Parameters(model).total() / stages / GIB + SHARD_GIB;
        if (needed <= cluster.gpu().usableGiB()) {
            return null;
        }
        return new Breach(
                "conversion to torch_dist needs %.1f GiB on each of %d GPUs, %s has %.1f"
                        .formatted(
                                needed,
                                stages,
                                cluster.gpu().label(),
                                cluster.gpu().usableGiB()),
                "convert on %d GPUs or more"
                        .formatted((int) Math.ceil(2.0 * new Parameters(model).total() / GIB / room(cluster))));
    }

    private static double room(Cluster cluster) {
        return Math.max(1, cluster.gpu().usableGiB() - SHARD_GIB);
    }

    private static @Nullable Breach shared(Candidate candidate) {
        Cluster cluster = candidate.cluster();
        if (cluster.sharedRoots().isEmpty() || cluster.gpusPerNode() < 1) {
            return null;
        }
        int nodes = cluster.colocated()
                ? Math.max(cluster.trainNodes(), cluster.rolloutNodes())
                : cluster.trainNodes() + cluster.rolloutNodes();
        if (nodes <= 1) {
            return null;
        }
        List<String> local = candidate.workload().paths().stream()
                .filter(path -> cluster.sharedRoots().stream().noneMatch(root -> under(path, root)))
                .toList();
        if (local.isEmpty()) {
            return null;
        }
        return new Breach(
                "%s is not on storage that all %d nodes see (%s)"
                        .formatted(String.join(", ", local), nodes, String.join(", ", cluster.sharedRoots())),
                "move it below one of cluster.sharedRoots, or add the directory that all nodes see");
    }

    private static boolean under(String path, String root) {
        String directory = root.endsWith("/") ? root : root + "/";
        return (path + "/").startsWith(directory) && !path.contains("/../");
    }

    private static @Nullable Breach vocabulary(Candidate candidate) {
        Flags flags = candidate.training().flags();
        int tp = candidate.training().layout().tp();
        int rows = candidate.model().vocabularySize();
        long multiple = (long) flags.number("--make-vocab-size-divisible-by", DEFAULT_PADDING) * tp;
        // A TP below 1 is no grid at all (M01).
        if (tp < 1) {
            return null;
        }
        if (multiple < 1) {
            return new Breach(
                    "a vocabulary cannot be padded to a multiple of %d".formatted(multiple / tp),
                    "set training.megatron.make-vocab-size-divisible-by to %d [--make-vocab-size-divisible-by]"
                            .formatted(DEFAULT_PADDING));
        }
        OptionalDouble given = flags.number("--padded-vocab-size");
        long padded = Math.ceilDiv(rows, multiple) * multiple;
        if (given.isEmpty() || (given.getAsDouble() >= rows && given.getAsDouble() % tp == 0)) {
            return null;
        }
        return new Breach(
                "a padded vocabulary of %.0f rows does not hold %d or does not divide over TP %d"
                        .formatted(given.getAsDouble(), rows, tp),
                "set it to %d, or leave it out [--padded-vocab-size]".formatted(padded));
    }
}
