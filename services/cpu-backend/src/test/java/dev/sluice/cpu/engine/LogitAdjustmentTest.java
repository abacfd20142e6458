package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.TokenLogprob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Penalties, biases and shortest lengths, against a loop that keeps dense tables the way SGLang's penalizers do (penaltylib of
 * 0.5.15, SamplingBatchInfo.apply_logits_bias) over the eager model's scores.
 */
class LogitAdjustmentTest {
    private static final String[] EAGLE = {"--speculative-algorithm", "EAGLE"};
    private static final int START = 5;

    @TempDir
    private static Path models;

    private static Path letters;

    @BeforeAll
    static void write() throws IOException {
        letters = TestModels.markov(models.resolve("letters"), 3, 0);
    }

    @Test
    void eachRuleChangesTheScoresAsItsFormulaSays() {
        float[] logits = {1, -1, 2, 0.5f};
        // Prompt 3; output 0, 1, 0.
        int[] tokens = {3, 0, 1, 0, 99};

        new LogitAdjustment(0.5, 0.25, 2, 4, Map.of(3, 1.5)).apply(logits, tokens, 1, 4, Set.of(2, 1000));

        // 1 - 2 * 0.5 - 0.25 = -0.25, negative, so times 2; -1 - 0.5 - 0.25 = -1.75, times 2; the end token; 0.5 + 1.5.
        assertThat(logits).containsExactly(-0.5f, -3.5f, Float.NEGATIVE_INFINITY, 2f);
    }

    @Test
    void greedyOutputAndLogprobsAreThoseOfTheDenseLoop() throws IOException {
        List<SamplingParams> all = List.of(
                greedy().change().frequencyPenalty(0.9).done(),
                greedy().change().presencePenalty(1.5).done(),
                greedy().change().repetitionPenalty(1.7).done(),
                greedy().change().logitBias(Map.of("7", 2.5, "3", -4.0)).done(),
                greedy().change()
                        .frequencyPenalty(-0.3)
                        .presencePenalty(1.1)
                        .repetitionPenalty(0.6)
                        .logitBias(Map.of("9", 1.0))
                        .done());
        try (RunningEngine engine = RunningEngine.start(letters)) {
            double[][] scores = scores(engine);
            for (SamplingParams sampling : all) {
                GenerateResponse reply = engine.generate(new int[] {START}, sampling);

                List<TokenLogprob> expected = dense(scores, sampling, 1);
                assertThat(reply.outputIds())
                        .as("%s", sampling)
                        .isEqualTo(expected.stream()
                                .mapToInt(TokenLogprob::tokenId)
                                .toArray());
                for (int i = 0; i < expected.size(); i++) {
                    assertThat(reply.meta().outputTokenLogprobs().get(i).logprob())
                            .as("token %d with %s", i, sampling)
                            .isCloseTo(expected.get(i).logprob(), within(1e-4));
                }
            }
        }
    }

    @Test
    void aVerifiedChainIsAdjustedByWhatTheOutputHeldBeforeIt() throws IOException {
        List<SamplingParams> all = List.of(
                greedy().change().frequencyPenalty(0.9).done(),
                greedy().change()
                        .presencePenalty(1.5)
                        .logitBias(Map.of("7", 2.5))
                        .done());
        try (RunningEngine engine = RunningEngine.start(letters, EAGLE)) {
            double[][] scores = scores(engine);
            for (SamplingParams sampling : all) {
                GenerateResponse reply = engine.generate(new int[] {START}, sampling);

                assertThat(reply.outputIds())
                        .as("%s", sampling)
                        .isEqualTo(dense(scores, sampling, 4).stream()
                                .mapToInt(TokenLogprob::tokenId)
                                .toArray());
            }
        }
    }

    @Test
    void noOutputEndsBeforeItsShortestLengthWithOrWithoutSpeculation() throws IOException {
        SamplingParams sampling = SamplingParams.of(40, 1)
                .change()
                .n(60)
                .minNewTokens(20)
                .stopTokenIds(List.of(4, 5000))
                .done();
        for (String[] flags : List.of(new String[0], EAGLE)) {
            try (RunningEngine engine = RunningEngine.start(letters, flags)) {
                List<GenerateResponse> samples = engine.client()
                        .generateSeveral(
                                GenerateRequest.ofTokens("r", new int[] {START}, sampling), RunningEngine.DEADLINE);

                assertThat(samples).allSatisfy(sample -> {
                    assertThat(sample.outputIds()).hasSizeGreaterThanOrEqualTo(20);
                    for (int i = 0; i < 20; i++) {
                        assertThat(sample.outputIds()[i]).isNotIn(4, TestModels.END);
                    }
                });
                assertThat(samples)
                        .anySatisfy(sample -> assertThat(sample.outputIds()).hasSizeLessThan(40));
            }
        }
    }

    @Test
    void samplesWithABiasShareTheirPromptAndKeepTheirOwnLaw() throws IOException {
        SamplingParams only7 =
                SamplingParams.of(4, 1).change().logitBias(Map.of("7", 1e4)).done();
        try (RunningEngine engine = RunningEngine.start(letters)) {
            List<GenerateResponse> replies = engine.client()
                    .generateAll(
                            List.of(
                                    GenerateRequest.ofTokens("plain", new int[] {2, 3, START}, greedy()),
                                    GenerateRequest.ofTokens("biased", new int[] {2, 3, START}, only7)),
                            RunningEngine.DEADLINE);

            assertThat(replies.get(1).outputIds()).containsOnly(7);
            assertThat(replies.get(0).outputIds()).isNotEqualTo(replies.get(1).outputIds());
        }
    }

    private static SamplingParams greedy() {
        return SamplingParams.of(30, 0).change().ignoreEos(true).done();
    }

    /** Row t: the scores of the token after t, up to a constant that log-softmax drops; scaling needs the true ones. */
    private static double[][] scores(RunningEngine engine) {
        double[][] scores = new double[TestModels.LETTERS][];
        for (int token = 0; token < TestModels.LETTERS; token++) {
            scores[token] = EagerLogprobs.scores(engine.engine().weights(), token);
        }
        return scores;
    }

    /** Greedy decoding in runs of {@code width} tokens: drafts are the most probable tokens by the bare scores. */
    private static List<TokenLogprob> dense(double[][] scores, SamplingParams sampling, int width) {
        List<TokenLogprob> output = new ArrayList<>();
        double[] additive = new double[TestModels.LETTERS];
        double[] scaling = new double[TestModels.LETTERS];
        int last = START;
        while (output.size() < sampling.maxNewTokens()) {
            tables(output, sampling, additive, scaling);
            int places = output.isEmpty() ? 1 : width;
            for (int k = 0; k < places && output.size() < sampling.maxNewTokens(); k++) {
                double[] row = scores[last].clone();
                int drafted = most(row);
                for (int token = 0; token < row.length; token++) {
                    double score = row[token] + additive[token];
                    score = score < 0 ? score * scaling[token] : score / scaling[token];
                    double bias = sampling.logitBias() == null
                            ? 0
                            : sampling.logitBias().getOrDefault(String.valueOf(token), 0.0);
                    row[token] = score + bias;
                }
                int chosen = most(row);
                double sum = 0;
                for (double score : row) {
                    sum += Math.exp(score - row[chosen]);
                }
                output.add(new TokenLogprob(-Math.log(sum), chosen));
                last = chosen;
                if (chosen != drafted) {
                    break;
                }
            }
        }
        return output;
    }

    private static void tables(
            List<TokenLogprob> output, SamplingParams sampling, double[] additive, double[] scaling) {
        for (int token = 0; token < additive.length; token++) {
            int at = token;
            long count = output.stream().filter(one -> one.tokenId() == at).count();
            double frequency = sampling.frequencyPenalty() == null ? 0 : sampling.frequencyPenalty();
            double presence = sampling.presencePenalty() == null ? 0 : sampling.presencePenalty();
            double repetition = sampling.repetitionPenalty() == null ? 1 : sampling.repetitionPenalty();
            additive[token] = -frequency * count - (count > 0 ? presence : 0);
            scaling[token] = count > 0 ? repetition : 1;
        }
    }

    private static int most(double[] row) {
        int best = 0;
        for (int token = 1; token < row.length; token++) {
            best = row[token] > row[best] ? token : best;
        }
        return best;
    }
}
