package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Laws on a vocabulary of five, worked out by hand; sampled ones with fixed seeds. */
class SamplingLawTest {
    private static final float[] PROBABILITIES = {0.4f, 0.05f, 0.3f, 0.2f, 0.05f};
    private static final int DRAWS = 50_000;

    @Test
    void topKKeepsTheMostProbableAndRenormalises() {
        Law law = law(new Sampling.LawParams(1, false, 2, 1, 0));

        assertThat(law.probability(0)).isCloseTo(0.4 / 0.7, within(1e-6));
        assertThat(law.probability(2)).isCloseTo(0.3 / 0.7, within(1e-6));
        assertThat(law.probability(3)).isZero();
    }

    @Test
    void topPKeepsTheSmallestSetWithThatMass() {
        Law law = law(new Sampling.LawParams(1, false, Integer.MAX_VALUE, 0.75, 0));

        // 0.4 + 0.3 is not yet 0.75; the token that crosses it stays.
        assertThat(law.probability(3)).isCloseTo(0.2 / 0.9, within(1e-6));
        assertThat(law.probability(1)).isZero();
    }

    @Test
    void topPCountsTheMassThatTopKLeft() {
        Law law = law(new Sampling.LawParams(1, false, 2, 0.5, 0));

        // Of the kept 0.7, 0.4 is 57 %.
        assertThat(law.probability(0)).isEqualTo(1);
    }

    @Test
    void minPDropsWhatIsImprobableBesideTheBest() {
        Law law = law(new Sampling.LawParams(1, false, Integer.MAX_VALUE, 1, 0.6));

        assertThat(law.probability(3)).isZero();
        assertThat(law.probability(2)).isCloseTo(0.3 / 0.7, within(1e-6));
    }

    @Test
    void greedyIsCertain() {
        Law law = law(new Sampling.LawParams(1, true, 1, 1, 0));

        assertThat(law.draw(0.99)).isZero();
        assertThat(law.probability(0)).isEqualTo(1);
    }

    @Test
    void coinsAreUniformAndIndependentOfEachOther() {
        int[] cells = new int[100];
        for (int i = 0; i < DRAWS; i++) {
            Coins coins = new Coins(i % 500);
            double one = coins.at(i / 500, Coins.Use.SAMPLE);
            double other = coins.at(i / 500, Coins.Use.ACCEPT);
            cells[(int) (one * 10) * 10 + (int) (other * 10)]++;
        }
        double[] expected = new double[100];
        Arrays.fill(expected, DRAWS / 100.0);

        // 99 degrees of freedom: 148.2 is exceeded once in a thousand.
        assertThat(ChiSquare.of(cells, expected)).isLessThan(148.2);
    }

    @Test
    void plainSamplingFollowsTheLaw() {
        Law law = law(new Sampling.LawParams(1, false, Integer.MAX_VALUE, 1, 0));
        int[] counts = new int[5];

        for (int i = 0; i < DRAWS; i++) {
            counts[law.draw(new Coins(i).at(0, Coins.Use.SAMPLE))]++;
        }

        assertFollowsProbabilities(counts);
    }

    @Test
    void aVerifiedTokenFollowsTheLawWhateverWasDrafted() {
        for (int drafted = 0; drafted < 5; drafted++) {
            Law law = law(new Sampling.LawParams(1, false, Integer.MAX_VALUE, 1, 0));
            int[] first = new int[5];
            int[] second = new int[5];
            int accepted = 0;
            for (int i = 0; i < DRAWS; i++) {
                Verification verification =
                        Verification.of(k -> law, Drafts.Chain.certain(drafted, 2), new Coins(i), 0);
                first[verification.tokens()[0]]++;
                if (verification.tokens().length > 1) {
                    accepted++;
                    second[verification.tokens()[1]]++;
                }
            }

            assertFollowsProbabilities(first);
            assertThat(accepted / (double) DRAWS).isCloseTo(PROBABILITIES[drafted], within(0.01));
            double[] expected = new double[5];
            for (int token = 0; token < 5; token++) {
                expected[token] = accepted * (double) PROBABILITIES[token];
            }
            assertThat(ChiSquare.of(second, expected)).isLessThan(18.5);
        }
    }

    @Test
    void aTokenDrawnFromAnyDraftLawFollowsTheTargetsAndIsAcceptedAsOftenAsTheLawsOverlap() {
        float[][] drafts = {{0.1f, 0.5f, 0.1f, 0.1f, 0.2f}, {0, 0, 1, 0, 0}, {0.4f, 0.05f, 0.3f, 0.2f, 0.05f}};
        for (float[] weights : drafts) {
            Law target = law(new Sampling.LawParams(1, false, Integer.MAX_VALUE, 1, 0));
            Law draft = new Law.Weighted(weights, 0, 5);
            int[] first = new int[5];
            int accepted = 0;
            for (int i = 0; i < DRAWS; i++) {
                Coins coins = new Coins(i);
                long drafted = draft.draw(coins.at(0, Coins.Use.DRAFT));
                Drafts.Chain chain = new Drafts.Chain(new long[] {drafted}, List.of(draft));
                Verification verification = Verification.of(k -> target, chain, coins, 0);
                first[verification.tokens()[0]]++;
                accepted += verification.acceptedDrafts();
            }

            assertFollowsProbabilities(first);
            double overlap = 0;
            for (int token = 0; token < 5; token++) {
                overlap += Math.min(weights[token], PROBABILITIES[token]);
            }
            assertThat(accepted / (double) DRAWS).isCloseTo(overlap, within(0.01));
        }
    }

    @Test
    void anImpossibleDraftIsNeverAcceptedAndACertainOneAlways() {
        Law certain = new Law.Certain(3);

        assertThat(Verification.of(k -> certain, Drafts.Chain.certain(3, 1, 3), new Coins(1), 0)
                        .tokens())
                .containsExactly(3, 3);
        assertThat(Verification.of(k -> certain, Drafts.Chain.certain(3, 3, 3), new Coins(1), 0)
                        .tokens())
                .containsExactly(3, 3, 3, 3);
    }

    private static Law law(Sampling.LawParams params) {
        float[] logprobs = new float[5];
        for (int i = 0; i < 5; i++) {
            logprobs[i] = (float) Math.log(PROBABILITIES[i]);
        }
        return Law.of(new Distributions(5, logprobs, PROBABILITIES), 0, params);
    }

    private static void assertFollowsProbabilities(int[] counts) {
        double[] expected = new double[5];
        for (int token = 0; token < 5; token++) {
            expected[token] = DRAWS * (double) PROBABILITIES[token];
        }
        // 4 degrees of freedom: 18.5 is exceeded once in a thousand.
        assertThat(ChiSquare.of(counts, expected)).isLessThan(18.5);
    }
}
