package dev.sluice.domain.constraint;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import java.util.List;

/**
 * A layout over the training GPUs. Whatever the sizes are, 0 and negative ones too, nothing here throws.
 *
 * @param gpus GPUs that train
 */
record Grid(Candidate candidate, Layout layout, int gpus) {
    static Grid of(Candidate candidate) {
        return new Grid(
                candidate, candidate.training().layout(), candidate.cluster().trainGpus());
    }

    /** GPUs that hold one copy of the model: TP*PP*CP. */
    long modelGpus() {
        return product(layout.tp(), layout.pp(), layout.cp());
    }

    /** GPUs that hold one copy of the experts: ETP*EP*PP. */
    long expertGpus() {
        return product(layout.etp(), layout.ep(), layout.pp());
    }

    /** A double, since a long of sizes that a script makes up can overflow to 0. Exact below 2^53. */
    private static long product(double one, double other, double third) {
        return (long) (one * other * third);
    }

    boolean positive() {
        return layout.tp() > 0 && layout.pp() > 0 && layout.cp() > 0;
    }

    boolean expertsPositive() {
        return layout.etp() > 0 && layout.ep() > 0 && layout.pp() > 0;
    }

    /** Whether copies of the model fill the GPUs (rule M01). */
    boolean modelFits() {
        return positive() && gpus > 0 && gpus % modelGpus() == 0;
    }

    /** Whether copies of the experts fill the GPUs (rule M02). */
    boolean expertsFit() {
        return expertsPositive() && gpus > 0 && gpus % expertGpus() == 0;
    }

    /** Copies of the model; 0 where they do not fill the GPUs. */
    int copies() {
        return modelFits() ? (int) (gpus / modelGpus()) : 0;
    }

    /** Tensor parallel sizes that the model, the node and the rest of the layout allow. */
    List<Integer> tensorSizes() {
        return Divisors.of(
                        candidate.model().attention().heads(),
                        candidate.cluster().gpusPerNode())
                .stream()
                .filter(tp -> layout.pp() > 0 && layout.cp() > 0 && gpus % product(tp, layout.pp(), layout.cp()) == 0)
                .filter(tp -> AttentionConstraints.groupsFit(candidate, tp))
                .toList();
    }

    /** Expert parallel sizes that the experts and the rest of the layout allow. */
    List<Integer> expertSizes() {
        return Divisors.of(candidate.model().expertCount(), gpus).stream()
                .filter(ep -> layout.etp() > 0 && layout.pp() > 0 && gpus % product(ep, layout.etp(), layout.pp()) == 0)
                .toList();
    }
}
