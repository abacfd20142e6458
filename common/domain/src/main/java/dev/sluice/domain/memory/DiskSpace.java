package dev.sluice.domain.memory;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.model.Parameters;
import dev.sluice.events.Plan;

/**
 * Disk that a run fills, bytes.
 *
 * @param converted the starting checkpoint as torch_dist, bf16
 * @param cut one saved cut: weights and Adam's state
 * @param export the result as Hugging Face shards, bf16; a published version takes as much
 */
public record DiskSpace(double converted, double cut, double export) {
    private static final double WEIGHT_BYTES = 2;
    private static final double ADAM_BYTES = 12;

    public static DiskSpace of(Candidate candidate) {
        Parameters parameters = new Parameters(candidate.model());
        double all = parameters.total() + parameters.mtp();
        double trained = parameters.total() + (candidate.training().mtpTrained() ? parameters.mtp() : 0);
        return new DiskSpace(
                WEIGHT_BYTES * all, (WEIGHT_BYTES + ADAM_BYTES) * trained, WEIGHT_BYTES * (all + tables(candidate)));
    }

    /** By a plan's figures, which do not tell the MTP layer's own copies of both tables: the export comes out so much less. */
    public static DiskSpace of(Plan.ModelFigures model, boolean mtpTrained) {
        double all = (double) model.totalParameters() + model.mtpParameters();
        double trained = mtpTrained ? all : model.totalParameters();
        return new DiskSpace(WEIGHT_BYTES * all, (WEIGHT_BYTES + ADAM_BYTES) * trained, WEIGHT_BYTES * all);
    }

    /** The MTP layer is exported with its own copies of both tables. */
    private static double tables(Candidate candidate) {
        return candidate.model().mtpLayers() * 2.0 * new Parameters(candidate.model()).embedding();
    }
}
