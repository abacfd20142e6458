package dev.sluice.rollout.engine;

/**
 * Verifications of drafted tokens, and drafts that they accepted.
 *
 * @param verifications forward passes that verified drafts
 * @param accepted drafts that were accepted, without the token that every verification adds itself
 */
record DraftCounts(long verifications, long accepted) {
    static final DraftCounts NONE = new DraftCounts(0, 0);

    DraftCounts minus(DraftCounts earlier) {
        return new DraftCounts(verifications - earlier.verifications, accepted - earlier.accepted);
    }

    /** Tokens that a verification brings on average: 1 where no draft is ever accepted. */
    double acceptLength() {
        return 1 + (double) accepted / verifications;
    }
}
