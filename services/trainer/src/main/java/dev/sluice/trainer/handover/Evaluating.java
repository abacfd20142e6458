package dev.sluice.trainer.handover;

/** Evaluation that goes on in engines. */
public interface Evaluating {
    /** Waits until nothing of it is left. */
    void finish() throws InterruptedException;

    /** Waits until engines keep the version that is measured, or none has to. */
    void allowNewerWeights() throws InterruptedException;
}
