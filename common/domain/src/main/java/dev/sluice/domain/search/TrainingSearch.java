package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Optimizer;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.constraint.Constraints;
import dev.sluice.domain.cost.TrainingTime;
import dev.sluice.domain.memory.HostMemory;
import dev.sluice.domain.memory.LayerSums;
import dev.sluice.domain.memory.StageMemory;
import dev.sluice.domain.memory.TrainingMemory;
import dev.sluice.events.Problem;
import dev.sluice.events.TrainingRequest;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Finds every way to train on the cluster's training GPUs that breaks no constraint and fits. */
final class TrainingSearch {
    private static final double FRACTION_STEP = 0.05;

    /**
     * What a search came to.
     *
     * @param sized what fits, in no order
     * @param rejected what cannot run, and why
     * @param nearest what needs least memory of what is otherwise right, for the mends; absent where nothing is right
     */
    record Found(List<SizedTraining> sized, Rejected rejected, Optional<Candidate> nearest) {}

    private final Candidate base;
    private final LayerSums sums;
    private final TrainingOptions options;
    private final double limitGiB;
    private final List<SizedTraining> sized = new ArrayList<>();
    private final Rejected rejected = new Rejected();
    private Optional<Candidate> nearest = Optional.empty();
    private double nearestGiB = Double.MAX_VALUE;
    /** Of the layout that is being looked at. */
    private double leastGiB;

    private double leastHostGiB;

    private TrainingSearch(Candidate base, LayerSums sums, TrainingRequest.Training given) {
        this.base = base;
        this.sums = sums;
        options = new TrainingOptions(base, given);
        limitGiB = TrainingMemory.limitGiB(base);
    }

    /** @param base everything but the training layout; its engine is not looked at */
    static Found run(Candidate base, LayerSums sums, TrainingRequest.Training given) {
        TrainingSearch search = new TrainingSearch(base, sums, given);
        search.options.layouts().forEach(search::layout);
        return new Found(search.sized, search.rejected, search.nearest);
    }

    private void layout(Layout layout) {
        Candidate plain = candidate(
                layout,
                options.tokens(layout.cp()).getFirst(),
                options.recomputes().getFirst(),
                options.optimizers().getFirst());
        Optional<Problem> broken = Constraints.firstOfTraining(plain);
        if (broken.isPresent()) {
            Problem problem = broken.get();
            rejected.add(
                    family(layout, problem), problem.rule(), layout.tp() * layout.pp() * layout.cp(), () -> problem);
            return;
        }
        int fitting = sized.size();
        leastGiB = Double.MAX_VALUE;
        leastHostGiB = Double.MAX_VALUE;
        for (int tokens : options.tokens(layout.cp())) {
            for (Recompute recompute : options.recomputes()) {
                for (Optimizer optimizer : options.optimizers()) {
                    size(candidate(layout, tokens, recompute, optimizer));
                }
                fraction(layout, tokens, recompute);
            }
        }
        if (sized.size() == fitting) {
            tooLarge(layout);
        }
    }

    /** Nothing made this layout fit: tells what came nearest. */
    private void tooLarge(Layout layout) {
        if (leastHostGiB < Double.MAX_VALUE) {
            double gib = leastHostGiB;
            rejected.add(size(layout), "H02", gib, () -> hostTooSmall(gib));
        } else {
            double gib = leastGiB;
            rejected.add(size(layout), "H01", gib, () -> tooFull(gib));
        }
    }

    /** The least share of Adam's state in host memory that makes it fit, in steps of {@value #FRACTION_STEP}. */
    private void fraction(Layout layout, int tokens, Recompute recompute) {
        if (!options.fractions()) {
            return;
        }
        TrainingMemory without =
                TrainingMemory.of(candidate(layout, tokens, recompute, Optimizer.PRECISION_AWARE), sums);
        StageMemory fullest = without.fullest();
        double excess = fullest.gib() - limitGiB;
        double state = fullest.optimizer() / StageMemory.GIB;
        if (excess > 0 && excess < state) {
            double share = Math.ceil(excess / state / FRACTION_STEP) * FRACTION_STEP;
            if (share < 1) {
                size(candidate(layout, tokens, recompute, new Optimizer(Math.round(share * 100) / 100.0, true)));
            }
        }
    }

    /** What decides most how much a GPU must hold. */
    private static String size(Layout layout) {
        return "PP%d EP%d".formatted(layout.pp(), layout.ep());
    }

    private void size(Candidate candidate) {
        TrainingMemory memory = TrainingMemory.of(candidate, sums);
        double gib = memory.gib();
        if (gib > limitGiB) {
            if (gib < nearestGiB) {
                nearestGiB = gib;
                nearest = Optional.of(candidate);
            }
            leastGiB = Math.min(leastGiB, gib);
            return;
        }
        HostMemory host = HostMemory.of(candidate, memory, sums);
        int given = candidate.cluster().hostMemoryGiB();
        if (given > 0 && host.gib() > given) {
            if (nearestGiB == Double.MAX_VALUE) {
                nearest = Optional.of(candidate);
            }
            leastHostGiB = Math.min(leastHostGiB, host.gib());
            return;
        }
        sized.add(new SizedTraining(candidate, memory, host, TrainingTime.of(candidate, memory)));
    }

    private Candidate candidate(Layout layout, int tokens, Recompute recompute, Optimizer optimizer) {
        return base.with(base.training().with(layout, tokens, recompute, optimizer));
    }

    private Problem tooFull(double gib) {
        return Problem.error(
                "H01",
                "training.layout",
                String.format(Locale.ROOT, "needs at least %.1f GiB on a GPU; %.1f may be used", gib, limitGiB),
                "use more nodes (cluster.trainNodes)");
    }

    private Problem hostTooSmall(double gib) {
        return Problem.error(
                "H02",
                "cluster.hostMemoryGiB",
                String.format(
                        Locale.ROOT,
                        "needs at least %.0f GiB on a host; it has %d",
                        gib,
                        base.cluster().hostMemoryGiB()),
                "add nodes (cluster.trainNodes) or host memory");
    }

    /** What the layouts that break this rule have in common. */
    private static String family(Layout layout, Problem problem) {
        return switch (problem.rule()) {
            case "M02" -> "ETP*EP*PP = " + layout.etp() * layout.ep() * layout.pp();
            case "M03", "M04" -> "TP " + layout.tp();
            case "M05" -> "EP " + layout.ep();
            case "M08", "M09", "M12" -> "PP " + layout.pp();
            case "M14" -> "CP " + layout.cp();
            case "R03" -> "DP above the batch";
            default -> layout.toString();
        };
    }
}
