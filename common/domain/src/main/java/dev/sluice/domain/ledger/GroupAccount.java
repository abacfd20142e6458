package dev.sluice.domain.ledger;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The tokens of one round of one group. Results and the trainer's decision come from two topics, so either may be read
 * first; the buckets follow from whatever is known.
 */
final class GroupAccount {
    private final List<Attempt> attempts = new ArrayList<>();
    private @Nullable Fate fate;

    /** What an instance reported about one attempt. */
    sealed interface Attempt {
        UUID id();

        /**
         * @param trainable tokens whose loss mask is 1, by the weight version that sampled them
         * @param masked tokens whose loss mask is 0
         * @param aborted tokens thrown away on the way
         */
        record Sampled(UUID id, boolean evaluation, Map<Integer, Long> trainable, long masked, long aborted)
                implements Attempt {
            public Sampled {
                trainable = Map.copyOf(trainable);
            }

            long tokens() {
                return trainedFrom(0) + masked;
            }

            /** Tokens with gradient where those of older versions are masked. */
            long trainedFrom(int version) {
                return trainable.entrySet().stream()
                        .filter(tokens -> tokens.getKey() >= version)
                        .mapToLong(Map.Entry::getValue)
                        .sum();
            }
        }

        record Abandoned(UUID id, long tokens) implements Attempt {}

        /**
         * Given back: what was kept stands in the result of whoever goes on.
         *
         * @param aborted tokens thrown away on the way
         */
        record Parked(UUID id, long aborted) implements Attempt {}
    }

    /**
     * What the trainer did with the round.
     *
     * @param bucket {@link Bucket#TRAINED} where it was used, else where its tokens go
     * @param resultId the attempt that was meant; null where there was none yet
     * @param trainedFrom oldest weight version whose tokens were trained on
     */
    record Fate(Bucket bucket, @Nullable String resultId, int trainedFrom) {}

    /** Takes a report; false where it is known already. */
    boolean report(Attempt attempt) {
        if (attempts.stream().anyMatch(known -> known.id().equals(attempt.id()))) {
            return false;
        }
        attempts.add(attempt);
        return true;
    }

    void decide(Fate decided) {
        fate = decided;
    }

    /** The step that trained on it no longer stands. */
    void takeBack() {
        if (fate != null && fate.bucket() == Bucket.TRAINED) {
            fate = new Fate(Bucket.ROLLED_BACK, fate.resultId(), 0);
        }
    }

    void undecide() {
        fate = null;
    }

    Map<Bucket, Long> tokens() {
        Map<Bucket, Long> tokens = new EnumMap<>(Bucket.class);
        int result = result();
        for (int i = 0; i < attempts.size(); i++) {
            switch (attempts.get(i)) {
                case Attempt.Parked parked -> add(tokens, Bucket.ABORTED, parked.aborted());
                case Attempt.Abandoned abandoned -> add(tokens, Bucket.ABANDONED, abandoned.tokens());
                case Attempt.Sampled sampled -> {
                    add(tokens, Bucket.ABORTED, sampled.aborted());
                    if (i == result) {
                        addResult(tokens, sampled);
                    } else {
                        add(tokens, Bucket.DUPLICATE, sampled.tokens());
                    }
                }
            }
        }
        return tokens;
    }

    /** Index of the result: what the trainer named, else the first terminal report in log order. */
    private int result() {
        for (int i = 0; fate != null && i < attempts.size(); i++) {
            if (attempts.get(i).id().toString().equals(fate.resultId())) {
                return i;
            }
        }
        int first = 0;
        while (first < attempts.size() && attempts.get(first) instanceof Attempt.Parked) {
            first++;
        }
        return first;
    }

    private void addResult(Map<Bucket, Long> tokens, Attempt.Sampled result) {
        if (result.evaluation()) {
            add(tokens, Bucket.EVALUATION, result.tokens());
        } else if (fate == null) {
            add(tokens, Bucket.OPEN, result.tokens());
        } else if (fate.bucket() == Bucket.TRAINED) {
            long trained = result.trainedFrom(fate.trainedFrom());
            add(tokens, Bucket.TRAINED, trained);
            add(tokens, Bucket.MASKED, result.tokens() - trained);
        } else {
            add(tokens, fate.bucket(), result.tokens());
        }
    }

    private static void add(Map<Bucket, Long> tokens, Bucket bucket, long count) {
        tokens.merge(bucket, count, Long::sum);
    }
}
