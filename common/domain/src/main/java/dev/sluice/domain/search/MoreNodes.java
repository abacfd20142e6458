package dev.sluice.domain.search;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.memory.LayerSums;
import dev.sluice.events.TrainingRequest;
import java.util.Optional;

/** Finds by doubling how many nodes a model needs. */
final class MoreNodes {
    private static final int MOST_NODES = 256;

    private MoreNodes() {}

    /** The preferred way to train on the fewest nodes that suffice; empty where none do. */
    static Optional<SizedTraining> of(Candidate base, LayerSums sums, TrainingRequest.Training given) {
        int perNode = base.cluster().gpusPerNode();
        for (int nodes = base.cluster().trainNodes() * 2; nodes <= MOST_NODES; nodes *= 2) {
            Candidate larger = base.with(base.cluster().withTrainGpus(nodes * perNode));
            Optional<SizedTraining> preferred =
                    TrainingSearch.run(larger, sums, given).sized().stream().min(SizedTraining.PREFERENCE);
            if (preferred.isPresent()) {
                return preferred;
            }
        }
        return Optional.empty();
    }
}
