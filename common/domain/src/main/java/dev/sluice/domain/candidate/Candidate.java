package dev.sluice.domain.candidate;

import dev.sluice.domain.model.ModelSpec;
import org.jspecify.annotations.Nullable;

/**
 * One complete way to run: what constraints judge, what memory and time are computed for, what search ranks.
 *
 * @param engine absent where nothing is sampled
 */
public record Candidate(
        ModelSpec model,
        Cluster cluster,
        Installed installed,
        Workload workload,
        TrainingSide training,
        @Nullable EngineSide engine) {

    /** Engines in all: the rollout GPUs by those of one engine. */
    public int engines() {
        return engine == null ? 0 : cluster.rolloutGpus() / Math.max(1, engine.gpus());
    }

    public Candidate with(TrainingSide other) {
        return new Candidate(model, cluster, installed, workload, other, engine);
    }

    public Candidate with(EngineSide other) {
        return new Candidate(model, cluster, installed, workload, training, other);
    }

    public Candidate with(Workload other) {
        return new Candidate(model, cluster, installed, other, training, engine);
    }

    public Candidate with(Cluster other) {
        return new Candidate(model, other, installed, workload, training, engine);
    }

    public Candidate with(ModelSpec other) {
        return new Candidate(other, cluster, installed, workload, training, engine);
    }

    public Candidate with(Installed other) {
        return new Candidate(model, cluster, other, workload, training, engine);
    }
}
