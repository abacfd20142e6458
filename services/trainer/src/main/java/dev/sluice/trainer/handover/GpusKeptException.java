package dev.sluice.trainer.handover;

/** A run is being cancelled, and engines have not given shared GPUs to training: without them there is no last cut. */
public final class GpusKeptException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GpusKeptException(String message) {
        super(message);
    }
}
