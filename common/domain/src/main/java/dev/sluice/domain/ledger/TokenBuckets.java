package dev.sluice.domain.ledger;

import java.util.Map;

/** Tokens by {@link Bucket}. */
public record TokenBuckets(
        long trained,
        long masked,
        long filtered,
        long stale,
        long abandoned,
        long aborted,
        long duplicate,
        long evaluation,
        long open,
        long rolledBack) {

    static TokenBuckets of(Map<Bucket, Long> tokens) {
        return new TokenBuckets(
                tokens.getOrDefault(Bucket.TRAINED, 0L),
                tokens.getOrDefault(Bucket.MASKED, 0L),
                tokens.getOrDefault(Bucket.FILTERED, 0L),
                tokens.getOrDefault(Bucket.STALE, 0L),
                tokens.getOrDefault(Bucket.ABANDONED, 0L),
                tokens.getOrDefault(Bucket.ABORTED, 0L),
                tokens.getOrDefault(Bucket.DUPLICATE, 0L),
                tokens.getOrDefault(Bucket.EVALUATION, 0L),
                tokens.getOrDefault(Bucket.OPEN, 0L),
                tokens.getOrDefault(Bucket.ROLLED_BACK, 0L));
    }

    public long get(Bucket bucket) {
        return switch (bucket) {
            case TRAINED -> trained;
            case MASKED -> masked;
            case FILTERED -> filtered;
            case STALE -> stale;
            case ABANDONED -> abandoned;
            case ABORTED -> aborted;
            case DUPLICATE -> duplicate;
            case EVALUATION -> evaluation;
            case OPEN -> open;
            case ROLLED_BACK -> rolledBack;
        };
    }

    /** Tokens in all buckets. */
    public long total() {
        return trained + masked + filtered + stale + abandoned + aborted + duplicate + evaluation + open + rolledBack;
    }
}
