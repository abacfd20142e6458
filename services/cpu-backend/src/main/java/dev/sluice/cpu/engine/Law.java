package dev.sluice.cpu.engine;

import java.util.Arrays;

/** The law of the next token of one request: the model's distribution, truncated as the request asks. */
sealed interface Law {

    /** Probability of a token. */
    double probability(int token);

    /** The token at which the cumulative probability exceeds the coin. */
    int draw(double coin);

    /** A token of the law conditioned on not being {@code excluded}. */
    int drawOther(int excluded, double coin);

    /**
     * A token of what the law has beyond a draft's law q: x with probability proportional to max(p(x) - q(x), 0).
     *
     * @param draft from which a token was drawn that this law rejected
     */
    int drawBeyond(Law draft, double coin);

    static Law of(Distributions distributions, int row, Sampling.LawParams params) {
        if (params.greedy()) {
            return new Certain(distributions.mostProbable(row));
        }
        int offset = distributions.offset(row);
        if (!params.truncates(distributions.vocabulary())) {
            return new Weighted(distributions.probabilities(), offset, distributions.vocabulary());
        }
        float[] kept = Arrays.copyOfRange(distributions.probabilities(), offset, offset + distributions.vocabulary());
        truncate(kept, params);
        return new Weighted(kept, 0, kept.length);
    }

    /** Keeps the top k, of these the top p of their mass, of these those above min p; equal probabilities stay together. */
    private static void truncate(float[] weights, Sampling.LawParams params) {
        float[] ascending = weights.clone();
        Arrays.sort(ascending);
        int length = ascending.length;
        int keepFrom = Math.max(0, length - params.topK());
        double mass = 0;
        for (int i = keepFrom; i < length; i++) {
            mass += ascending[i];
        }
        double enough = params.topP() * mass;
        double sum = 0;
        int i = length;
        while (i > keepFrom && (sum < enough || i == length)) {
            i--;
            sum += ascending[i];
        }
        double least = Math.max(ascending[i], params.minP() * ascending[length - 1]);
        for (int token = 0; token < length; token++) {
            if (weights[token] < least) {
                weights[token] = 0;
            }
        }
    }

    /** Always the same token. */
    record Certain(int token) implements Law {
        @Override
        public double probability(int asked) {
            return asked == token ? 1 : 0;
        }

        @Override
        public int draw(double coin) {
            return token;
        }

        @Override
        public int drawOther(int excluded, double coin) {
            return token;
        }

        @Override
        public int drawBeyond(Law draft, double coin) {
            return token;
        }
    }

    /** Probabilities proportional to weights at {@code offset} to {@code offset + length - 1}. */
    final class Weighted implements Law {
        private final float[] weights;
        private final int offset;
        private final int length;
        private final double total;

        Weighted(float[] weights, int offset, int length) {
            this.weights = weights;
            this.offset = offset;
            this.length = length;
            double sum = 0;
            for (int token = 0; token < length; token++) {
                sum += weights[offset + token];
            }
            this.total = sum;
        }

        @Override
        public double probability(int token) {
            return weights[offset + token] / total;
        }

        @Override
        public int draw(double coin) {
            return inverse(-1, coin * total);
        }

        @Override
        public int drawOther(int excluded, double coin) {
            return inverse(excluded, coin * (total - weights[offset + excluded]));
        }

        @Override
        public int drawBeyond(Law draft, double coin) {
            if (draft instanceof Certain certain) {
                return drawOther(certain.token(), coin);
            }
            float[] beyond = new float[length];
            for (int token = 0; token < length; token++) {
                beyond[token] = (float) Math.max(0, probability(token) - draft.probability(token));
            }
            Weighted rest = new Weighted(beyond, 0, length);
            // Equal laws reject nothing but by rounding.
            return rest.total > 0 ? rest.draw(coin) : draw(coin);
        }

        private int inverse(int excluded, double target) {
            double sum = 0;
            int last = length - 1;
            for (int token = 0; token < length; token++) {
                float weight = weights[offset + token];
                if (token != excluded && weight > 0) {
                    sum += weight;
                    last = token;
                    if (sum > target) {
                        return token;
                    }
                }
            }
            // Rounding left the target above the sum: the last possible token.
            return last;
        }
    }
}
