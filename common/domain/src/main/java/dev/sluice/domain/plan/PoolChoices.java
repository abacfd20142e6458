package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.memory.DiskSpace;
import dev.sluice.domain.memory.StageMemory;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.domain.search.Way;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Says how the GPUs are shared out and why. */
record PoolChoices(TrainingRequest request, Outcome outcome, Way way) {

    private static final double GIB = StageMemory.GIB;

    List<Choice> all() {
        boolean searched = request.cluster().placement() == Placement.AUTO;
        String rejected = outcome.pools().isEmpty()
                ? null
                : String.format(
                        Locale.ROOT,
                        "%s: %.1f s",
                        split(outcome.pools().getFirst().candidate().cluster()),
                        outcome.pools().getFirst().time().seconds());
        return List.of(placement(searched, rejected), cuts());
    }

    /** What the run writes to disk, since nobody else asks before it is full. */
    private Choice cuts() {
        DiskSpace space = DiskSpace.of(way.candidate());
        int kept = request.checkpoints().keepLast();
        return new Choice(
                "checkpoints",
                "a cut every %d steps, %d kept".formatted(request.checkpoints().everySteps(), kept),
                String.format(
                        Locale.ROOT,
                        "each takes %.0f GiB of disk, the converted model %.0f, the export %.0f: %.0f GiB in all",
                        space.cut() / GIB,
                        space.converted() / GIB,
                        space.export() / GIB,
                        (kept * space.cut() + space.converted() + space.export()) / GIB),
                null);
    }

    private Choice placement(boolean searched, @Nullable String rejected) {
        return new Choice(
                "cluster.placement",
                split(way.candidate().cluster()),
                searched
                        ? String.format(
                                Locale.ROOT,
                                "%.1f s a step are predicted, the least of all splits",
                                way.time().seconds())
                        : "the request says so",
                rejected);
    }

    private static String split(Cluster cluster) {
        return cluster.colocated()
                ? "colocated on %d GPUs".formatted(cluster.trainGpus())
                : "%d GPUs train, %d sample".formatted(cluster.trainGpus(), cluster.rolloutGpus());
    }
}
