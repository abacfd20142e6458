package dev.sluice.domain.ledger;

import dev.sluice.events.TrainingEvent.DropReason;

/** What became of a generated token; every token is in exactly one bucket. */
public enum Bucket {
    /** Trained on, with gradient. */
    TRAINED,
    /** In a trained group, without gradient. */
    MASKED,
    /** Of a group that could teach nothing, such as one whose rewards are all equal. */
    FILTERED,
    /** Too old when its turn came, or left over at the end. */
    STALE,
    /** Of a group that was given up. */
    ABANDONED,
    /** Cut off in the middle of a response and sampled anew. */
    ABORTED,
    /** Of a group that had a result already. */
    DUPLICATE,
    /** Sampled for a held-out set. */
    EVALUATION,
    /** Finished, and neither used nor dropped yet. */
    OPEN,
    /** Trained on by a step that was taken back. */
    ROLLED_BACK;

    static Bucket of(DropReason reason) {
        return switch (reason) {
            case FILTERED -> FILTERED;
            case STALE, SURPLUS -> STALE;
            case ABANDONED -> ABANDONED;
            case ROLLED_BACK -> ROLLED_BACK;
        };
    }
}
