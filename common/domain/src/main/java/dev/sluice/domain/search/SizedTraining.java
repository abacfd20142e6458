package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.TrainingSide;
import dev.sluice.domain.candidate.TrainingSide.Layout;
import dev.sluice.domain.candidate.TrainingSide.Recompute;
import dev.sluice.domain.cost.TrainingTime;
import dev.sluice.domain.memory.HostMemory;
import dev.sluice.domain.memory.TrainingMemory;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** A way to train with what it needs. */
public record SizedTraining(Candidate candidate, TrainingMemory memory, HostMemory host, TrainingTime time) {
    private static final int USUAL_TOKENS = 8192;
    private static final int MOST_USUAL_TOKENS = 16_384;
    private static final int MOST_USUAL_EXPERT_PARALLEL = 32;
    /** No published recipe for H100 fills more of a GPU. */
    private static final double USUAL_SHARE = 0.8;

    /** Something that is better small among ways that are predicted equally fast. */
    private record Criterion(String whatIsWorse, ToDoubleFunction<SizedTraining> measure) {}

    /** What hand-tuned recipes do first, then what is simplest, then what leaves most memory. */
    private static final List<Criterion> CRITERIA = List.of(
            new Criterion("departs further from what published recipes have in common", SizedTraining::unusual),
            new Criterion(
                    "more of Adam on the CPU", sized -> sized.side().optimizer().offloadFraction()),
            new Criterion(
                    "Adam in lower precision", sized -> sized.side().optimizer().precisionAware() ? 1 : 0),
            new Criterion("larger TP", sized -> sized.layout().tp()),
            new Criterion("larger PP", sized -> sized.layout().pp()),
            new Criterion("larger CP", sized -> sized.layout().cp()),
            new Criterion("micro-batches further from the usual size", SizedTraining::distanceFromUsualTokens),
            new Criterion("less memory left", sized -> sized.memory().gib()));

    static final Comparator<SizedTraining> PREFERENCE = CRITERIA.stream()
            .map(criterion -> Comparator.comparingDouble(criterion.measure()))
            .reduce(Comparator::thenComparing)
            .orElseThrow();

    /** In what this way is worse than one that is preferred to it. */
    public String worseThan(SizedTraining preferred) {
        return CRITERIA.stream()
                .filter(criterion -> criterion.measure().applyAsDouble(this)
                        > criterion.measure().applyAsDouble(preferred))
                .map(Criterion::whatIsWorse)
                .findFirst()
                .orElse("no better");
    }

    public TrainingSide side() {
        return candidate.training();
    }

    public Layout layout() {
        return side().layout();
    }

    /** How often it departs from what slime's recipes have in common. */
    private int unusual() {
        Layout layout = layout();
        int perNode = candidate.cluster().gpusPerNode();
        double offloaded = side().optimizer().offloadFraction();
        int experts = candidate.model().expertCount();
        boolean expertsWithinNode = experts == 0
                || layout.ep()
                        >= Math.min(
                                Math.min(perNode, experts), candidate.cluster().trainGpus());
        boolean oneNode = candidate.cluster().trainGpus() <= perNode;
        return (layout.etp() == 1 ? 0 : 1)
                + (expertsWithinNode ? 0 : 1)
                + (layout.ep() > MOST_USUAL_EXPERT_PARALLEL ? 1 : 0)
                + (oneNode && layout.pp() > 1 ? 1 : 0)
                + (side().recompute() == Recompute.FULL ? 0 : 1)
                + (offloaded == 0 || offloaded == 1 ? 0 : 1)
                + (memory.gib() > USUAL_SHARE * candidate.cluster().gpu().usableGiB() ? 1 : 0);
    }

    private double distanceFromUsualTokens() {
        int tokens = side().tokensPerGpu();
        if (tokens < USUAL_TOKENS) {
            return (double) USUAL_TOKENS / tokens;
        }
        return tokens > MOST_USUAL_TOKENS ? (double) tokens / MOST_USUAL_TOKENS : 0;
    }
}
