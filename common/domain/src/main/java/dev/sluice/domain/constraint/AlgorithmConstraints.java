package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.Parameters;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the loss, its advantages and its reference need. */
final class AlgorithmConstraints {
    private static final Set<String> GROUP_RELATIVE = Set.of("grpo", "gspo", "cispo");
    private static final Set<String> WHITENED = Set.of("reinforce_plus_plus", "reinforce_plus_plus_baseline");

    /** Host memory of one copy of the weights: bf16, and a quarter more for pinned blocks rounded up. */
    private static final double COPY_BYTES = 2.5;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "R08",
                    Severity.FIX,
                    "rollout.samplesPerPrompt",
                    "groups that are compared have at least two samples",
                    "slime arguments.py slime_validate_args; planner",
                    AlgorithmConstraints::groupOfOne),
            new Constraint(
                    "R09",
                    Severity.ERROR,
                    "algorithm.klLossCoefficient",
                    "the KL divergence counts in the reward or in the loss",
                    "slime slime_validate_args",
                    AlgorithmConstraints::oneDivergence),
            new Constraint(
                    "R10",
                    Severity.ERROR,
                    "algorithm.klLossCoefficient",
                    "a KL divergence has a reference",
                    "slime slime_validate_args",
                    AlgorithmConstraints::reference),
            new Constraint(
                    "R11",
                    Severity.ERROR,
                    "algorithm.oldLogprobs",
                    "the engine's log-probabilities are the old policy's or are corrected for",
                    "slime slime_validate_args",
                    AlgorithmConstraints::oneCorrection),
            new Constraint(
                    "R12",
                    Severity.ERROR,
                    "algorithm.name",
                    "REINFORCE++ normalises advantages",
                    "slime slime_validate_args",
                    AlgorithmConstraints::whitening),
            new Constraint(
                    "R13",
                    Severity.ERROR,
                    "rollout.temperature",
                    "responses are sampled",
                    "slime slime_validate_args",
                    AlgorithmConstraints::sampling));

    private AlgorithmConstraints() {}

    private static String estimator(Candidate candidate) {
        return Given.text(candidate, "--advantage-estimator", "grpo");
    }

    private static @Nullable Breach groupOfOne(Candidate candidate) {
        if (!candidate.workload().rollout()
                || candidate.workload().samplesPerPrompt() != 1
                || !GROUP_RELATIVE.contains(estimator(candidate))) {
            return null;
        }
        return new Breach(
                "a group of 1 sample equals its mean: its advantage is 0, and its standard deviation is left out",
                "set rollout.samplesPerPrompt to at least 2, or use another estimator than " + estimator(candidate));
    }

    private static @Nullable Breach oneDivergence(Candidate candidate) {
        double reward = Given.number(candidate, "--kl-coef", 0);
        double loss = Given.number(candidate, "--kl-loss-coef", 0);
        if (reward == 0 || loss == 0) {
            return null;
        }
        return new Breach(
                "the KL divergence counts twice: --kl-coef %s in the reward and --kl-loss-coef %s in the loss"
                        .formatted(Given.text(candidate, "--kl-coef", ""), Given.text(candidate, "--kl-loss-coef", "")),
                "set one of --kl-coef and --kl-loss-coef to 0");
    }

    private static @Nullable Breach reference(Candidate candidate) {
        boolean loss = Given.has(candidate, "--use-kl-loss");
        boolean reward = Given.number(candidate, "--kl-coef", 0) != 0;
        if (!loss && !reward || Given.has(candidate, "--ref-load")) {
            return null;
        }
        boolean useless = !reward && Given.number(candidate, "--kl-loss-coef", 0) == 0;
        return new Breach(
                "%s needs a reference model, but --ref-load is not given"
                        .formatted(loss ? "--use-kl-loss" : "--kl-coef"),
                useless
                        ? "drop --use-kl-loss: its coefficient is 0, and without it a node saves %.0f GiB of host memory"
                                        .formatted(copyGiB(candidate))
                                + " and each step a forward pass"
                        : "give --ref-load a checkpoint");
    }

    /** Host memory of a node for one copy of the weights that its GPUs hold, stages taken as equal. */
    private static double copyGiB(Candidate candidate) {
        Grid grid = Grid.of(candidate);
        Layout layout = candidate.training().layout();
        if (!grid.positive() || !grid.expertsPositive()) {
            return 0;
        }
        Parameters parameters = new Parameters(candidate.model());
        Parameters.Split whole = Parameters.Split.NONE;
        for (int layer = 0; layer < candidate.model().layers(); layer++) {
            whole = whole.plus(parameters.layer(layer));
        }
        double tables = (candidate.model().tiedEmbeddings() ? 1.0 : 2.0) * parameters.embedding();
        double gpu = (whole.sharded() + tables) / layout.tp()
                + whole.replicated()
                + (double) whole.experts() / ((long) layout.ep() * layout.etp());
        int gpus = Math.min(grid.gpus(), candidate.cluster().gpusPerNode());
        return COPY_BYTES * gpu / layout.pp() * gpus / (1L << 30);
    }

    private static @Nullable Breach oneCorrection(Candidate candidate) {
        if (!Given.has(candidate, "--use-rollout-logprobs") || !Given.has(candidate, "--use-tis")) {
            return null;
        }
        return new Breach(
                "--use-rollout-logprobs takes the engine's log-probabilities for the old policy's, --use-tis corrects for"
                        + " their difference: there would be none",
                "remove --use-rollout-logprobs or --use-tis");
    }

    private static @Nullable Breach whitening(Candidate candidate) {
        String estimator = estimator(candidate);
        if (!WHITENED.contains(estimator) || Given.has(candidate, "--normalize-advantages")) {
            return null;
        }
        return new Breach(
                "advantages of %s are those of single samples and need to be normalised".formatted(estimator),
                "add --normalize-advantages");
    }

    private static @Nullable Breach sampling(Candidate candidate) {
        double temperature = candidate.workload().temperature();
        if (!candidate.workload().rollout() || temperature > 0) {
            return null;
        }
        return new Breach(
                "at temperature %s decoding is greedy, which is no policy to learn from".formatted(temperature),
                "set rollout.temperature above 0");
    }
}
