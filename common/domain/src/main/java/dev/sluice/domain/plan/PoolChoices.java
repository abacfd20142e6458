package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.Cluster;
import dev.sluice.domain.search.Search.Outcome;
import dev.sluice.domain.search.Way;
import dev.sluice.events.Plan.Choice;
import dev.sluice.events.TrainingRequest;
import dev.sluice.events.TrainingRequest.Placement;
import java.util.List;
import java.util.Locale;

/** Says how the GPUs are shared out and why. */
record PoolChoices(TrainingRequest request, Outcome outcome, Way way) {

    List<Choice> all() {
        boolean searched = request.cluster().placement() == Placement.AUTO;
        String rejected = outcome.pools().isEmpty()
                ? null
                : String.format(
                        Locale.ROOT,
                        "%s: %.1f s",
                        split(outcome.pools().getFirst().candidate().cluster()),
                        outcome.pools().getFirst().time().seconds());
        return List.of(new Choice(
                "cluster.placement",
                split(way.candidate().cluster()),
                searched
                        ? String.format(
                                Locale.ROOT,
                                "%.1f s a step are predicted, the least of all splits",
                                way.time().seconds())
                        : "the request says so",
                rejected));
    }

    private static String split(Cluster cluster) {
        return cluster.colocated()
                ? "colocated on %d GPUs".formatted(cluster.trainGpus())
                : "%d GPUs train, %d sample".formatted(cluster.trainGpus(), cluster.rolloutGpus());
    }
}
