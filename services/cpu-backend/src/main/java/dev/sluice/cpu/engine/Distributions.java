package dev.sluice.cpu.engine;

import dev.sluice.sglang.TokenLogprob;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The target model's distributions of the next token, one row a picked position, over the whole vocabulary at the row's
 * temperature.
 *
 * @param vocabulary length of a row
 * @param logprobs natural logarithms, row-major
 * @param probabilities their exponentials, row-major; each row sums to 1 up to rounding
 */
@SuppressWarnings("ArrayRecordComponent")
record Distributions(int vocabulary, float[] logprobs, float[] probabilities) {

    /** Takes other scores for a row, at the row's temperature; scores that are all -inf change nothing. */
    void replace(int row, float[] logits, double temperature) {
        double most = Double.NEGATIVE_INFINITY;
        for (float logit : logits) {
            most = Math.max(most, logit);
        }
        if (most == Double.NEGATIVE_INFINITY) {
            return;
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp((logit - most) / temperature);
        }
        double normaliser = most / temperature + Math.log(sum);
        int offset = offset(row);
        for (int token = 0; token < vocabulary; token++) {
            double logprob = logits[token] / temperature - normaliser;
            logprobs[offset + token] = (float) logprob;
            probabilities[offset + token] = (float) Math.exp(logprob);
        }
    }

    float logprob(int row, int token) {
        return logprobs[row * vocabulary + token];
    }

    /** Where a row begins in the arrays. */
    int offset(int row) {
        return row * vocabulary;
    }

    /** The most probable token of a row; of several the first. */
    int mostProbable(int row) {
        int best = 0;
        int offset = offset(row);
        for (int token = 1; token < vocabulary; token++) {
            if (logprobs[offset + token] > logprobs[offset + best]) {
                best = token;
            }
        }
        return best;
    }

    /** The most probable tokens of a row, best first. */
    List<TokenLogprob> top(int row, int count) {
        return IntStream.range(0, vocabulary)
                .boxed()
                .sorted(Comparator.comparingDouble(token -> -logprob(row, token)))
                .limit(count)
                .map(token -> new TokenLogprob(logprob(row, token), token))
                .toList();
    }
}
