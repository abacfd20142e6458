package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec.Experts;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How new weights reach the engines. */
final class WeightConstraints {
    /** Bytes, where {@code --update-weight-buffer-size} is not given: slime utils/arguments.py. */
    private static final double DEFAULT_BUFFER = 512 * 1024 * 1024;

    private static final double GIB = 1L << 30;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "W01",
                    Severity.ERROR,
                    "weights.transport",
                    "deltas of weights go over disk to engines with GPUs and a checkpoint of their own",
                    "slime utils/arguments.py slime_validate_args",
                    WeightConstraints::delta),
            new Constraint(
                    "W02",
                    Severity.ERROR,
                    "weights.transport",
                    "weights that go over disk have a directory that trainer and engines share",
                    "slime utils/arguments.py slime_validate_args",
                    WeightConstraints::disk),
            new Constraint(
                    "W03",
                    Severity.ERROR,
                    "weights.transport",
                    "a trainer that is released between steps saves, and publishes whole weights over disk",
                    "slime utils/arguments.py slime_validate_args",
                    WeightConstraints::releasedTrainer),
            new Constraint(
                    "W04",
                    Severity.WARNING,
                    "weights.transport",
                    "slime's buffer holds an expert matrix gathered over all expert-parallel ranks",
                    "slime scripts of models above 200B parameters; update_weight/update_weight_from_distributed.py",
                    WeightConstraints::buffer));

    private WeightConstraints() {}

    private static boolean delta(Flags slime) {
        return slime.text("--update-weight-mode", "full").equals("delta");
    }

    private static boolean disk(Flags slime) {
        return slime.text("--update-weight-transport", "nccl").equals("disk");
    }

    private static @Nullable Breach delta(Candidate candidate) {
        Flags slime = candidate.workload().slime();
        if (!delta(slime)) {
            return null;
        }
        List<String> mends = new ArrayList<>();
        if (candidate.cluster().colocated()) {
            mends.add("set cluster.placement to disaggregated");
        }
        if (!disk(slime)) {
            mends.add("set weights.transport to disk [--update-weight-transport disk]");
        }
        if (slime.text("--update-weight-local-checkpoint-dir", "").isEmpty()) {
            mends.add("give a directory on each engine's own disk [--update-weight-local-checkpoint-dir]");
        }
        return breach("deltas of weights cannot be published so", mends);
    }

    private static @Nullable Breach disk(Candidate candidate) {
        Flags slime = candidate.workload().slime();
        if (!disk(slime) || !slime.text("--update-weight-disk-dir", "").isEmpty()) {
            return null;
        }
        return new Breach(
                "weights go over disk and no directory is given for them",
                "give one on storage that trainer and engines share [--update-weight-disk-dir]");
    }

    private static @Nullable Breach releasedTrainer(Candidate candidate) {
        Flags slime = candidate.workload().slime();
        if (!slime.has("--release-train")) {
            return null;
        }
        List<String> mends = new ArrayList<>();
        if (slime.text("--save", "").isEmpty()) {
            mends.add("give a directory for saves, which the next trainer starts from [--save]");
        }
        if (delta(slime)) {
            mends.add("publish whole weights [--update-weight-mode full]");
        }
        if (!disk(slime)) {
            mends.add("set weights.transport to disk [--update-weight-transport disk]");
        }
        if (slime.text("--advantage-estimator", "grpo").equals("ppo")) {
            mends.add("train without a critic [--advantage-estimator grpo]");
        }
        if (slime.has("--keep-old-actor")) {
            mends.add("remove [--keep-old-actor]");
        }
        return breach("a trainer cannot be released between steps so", mends);
    }

    private static @Nullable Breach breach(String what, List<String> mends) {
        if (mends.isEmpty()) {
            return null;
        }
        String count = mends.size() == 1 ? "one thing is" : mends.size() + " things are";
        return new Breach("%s: %s in the way".formatted(what, count), String.join("; ", mends));
    }

    private static @Nullable Breach buffer(Candidate candidate) {
        Experts experts = candidate.model().experts();
        // Sluice's own trainer writes shards and gathers nothing.
        if (experts == null
                || !candidate.workload().rollout()
                || !TrainerCapabilities.name(candidate.installed().trainer()).equals("slime")) {
            return null;
        }
        int ep = candidate.training().layout().ep();
        long gathered = 2L * experts.size() * candidate.model().hiddenSize() * Short.BYTES * ep;
        double buffer = candidate.workload().slime().number("--update-weight-buffer-size", DEFAULT_BUFFER);
        if (buffer >= gathered) {
            return null;
        }
        return new Breach(
                "an expert's gate and up projection over EP %d are %.2f GiB, slime's buffer is %.2f GiB"
                        .formatted(ep, gathered / GIB, buffer / GIB),
                "give %d bytes or more [--update-weight-buffer-size]".formatted(powerOfTwo(gathered)));
    }

    private static long powerOfTwo(long atLeast) {
        long below = Long.highestOneBit(atLeast);
        return below == atLeast ? below : below << 1;
    }
}
