package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.sluice.http.HttpReply;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.Speculation;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** EAGLE chains change how fast tokens come, never which. */
class SpeculationTest {
    private static final String[] EAGLE = {
        "--speculative-algorithm",
        "EAGLE",
        "--speculative-num-steps",
        "3",
        "--speculative-eagle-topk",
        "1",
        "--speculative-num-draft-tokens",
        "4"
    };

    private static final String[] DRAWN = Stream.concat(
                    Stream.of(EAGLE), Stream.of("--speculative-use-rejection-sampling"))
            .toArray(String[]::new);

    @TempDir
    private static Path models;

    private static Path exactDrafts;
    private static Path noisyDrafts;

    @BeforeAll
    static void write() throws IOException {
        exactDrafts = TestModels.markov(models.resolve("exact"), 3, 0);
        noisyDrafts = TestModels.markov(models.resolve("noisy"), 3, 3);
    }

    @Test
    void greedyOutputIsThatOfPlainDecodingWhateverTheDraftsAreWorth() throws IOException {
        for (Path model : List.of(TestModels.TINY, exactDrafts, noisyDrafts)) {
            List<GenerateRequest> requests = prompts(model, 24, SamplingParams.of(30, 0));
            List<GenerateResponse> plain = generate(model, requests);

            for (String[] flags : List.of(EAGLE, DRAWN)) {
                List<GenerateResponse> speculative = generate(model, requests, flags);

                for (int i = 0; i < plain.size(); i++) {
                    assertThat(speculative.get(i).outputIds())
                            .as("prompt %d of %s", i, model)
                            .isEqualTo(plain.get(i).outputIds());
                    assertThat(speculative.get(i).meta().finishReason())
                            .isEqualTo(plain.get(i).meta().finishReason());
                }
            }
        }
    }

    /** The numbers are those of SGLang 0.5.15.post1 with two draft steps and a context of 128, an H100. */
    @Test
    void draftsTakeTheirPlaceFromTheContext() throws IOException {
        String[] flags = {
            "--speculative-algorithm",
            "EAGLE",
            "--speculative-num-steps",
            "2",
            "--speculative-eagle-topk",
            "1",
            "--speculative-num-draft-tokens",
            "3",
            "--context-length",
            "128"
        };
        try (RunningEngine engine = RunningEngine.start(exactDrafts, flags)) {
            Map<String, Object> body =
                    Map.of("input_ids", List.of(2, 3, 4, 5), "sampling_params", Map.of("max_new_tokens", 123));

            HttpReply refused = engine.post("/generate", body);

            assertThat(refused.status()).isEqualTo(400);
            assertThat(refused.tree().at("/error/message").asText())
                    .startsWith("Requested token count exceeds the model's maximum context length of 128 tokens. You"
                            + " requested a total of 130 tokens: 7 tokens from the input messages and 123 tokens for the"
                            + " completion.");
        }
    }

    @Test
    void exactDraftsAreAllAcceptedAndUselessOnesCostNothingButTime() throws IOException {
        SamplingParams greedy =
                SamplingParams.of(41, 0).change().ignoreEos(true).done();

        GenerateResponse exact =
                generate(exactDrafts, prompts(exactDrafts, 1, greedy), EAGLE).get(0);
        GenerateResponse useless = generate(TestModels.TINY, prompts(TestModels.TINY, 1, greedy), EAGLE)
                .get(0);

        // 41 tokens: one from the prompt, then ten verifications of three drafts and one token of the target's own.
        assertThat(exact.meta().speculation()).isEqualTo(new Speculation(30, 30, 1.0, 4.1, 10, List.of(0, 0, 0, 10)));
        Speculation wasted = useless.meta().speculation();
        assertThat(wasted).isNotNull();
        assertThat(wasted.acceptRate()).isLessThan(0.2);
        assertThat(useless.outputIds()).hasSize(41);
    }

    @Test
    void aPromptComputedInChunksDraftsAsOneComputedWhole() throws IOException {
        Path trained = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/model");
        SamplingParams greedy =
                SamplingParams.of(12, 0).change().ignoreEos(true).done();
        String[] chunked = Stream.concat(Stream.of(EAGLE), Stream.of("--chunked-prefill-size", "4"))
                .toArray(String[]::new);

        List<GenerateResponse> whole = generate(trained, prompts(trained, 12, greedy), EAGLE);
        List<GenerateResponse> parts = generate(trained, prompts(trained, 12, greedy), chunked);

        // The drafting layer attends to what it kept of the prompt: other cache lines, other drafts, fewer accepted.
        assertThat(parts)
                .extracting(one -> one.meta().speculation())
                .isEqualTo(whole.stream().map(one -> one.meta().speculation()).toList());
    }

    @Test
    void aStopTokenInsideAnAcceptedRunEndsTheOutputThere() throws IOException {
        try (RunningEngine engine = RunningEngine.start(exactDrafts, EAGLE)) {
            SamplingParams greedy =
                    SamplingParams.of(20, 0).change().ignoreEos(true).done();
            int[] whole = engine.generate(new int[] {5}, greedy).outputIds();
            int stop = whole[2];
            int expectedLength = firstIndex(whole, stop) + 1;

            GenerateResponse cut = engine.generate(
                    new int[] {5},
                    SamplingParams.of(20, 0)
                            .change()
                            .stopTokenIds(List.of(stop))
                            .done());

            assertThat(cut.outputIds()).hasSize(expectedLength).endsWith(stop);
            assertThat(cut.meta().finishReason())
                    .isEqualTo(new FinishReason.Stop(new FinishReason.Matched.Token(stop)));
            assertThat(cut.meta().outputTokenLogprobs()).hasSize(expectedLength);
        }
    }

    @Test
    void draftsDrawnFromTheTargetsOwnLawAreAllAccepted() throws IOException {
        SamplingParams sampling = SamplingParams.of(41, 1)
                .change()
                .ignoreEos(true)
                .samplingSeed(9)
                .done();

        Speculation drawn = generate(exactDrafts, prompts(exactDrafts, 1, sampling), DRAWN)
                .get(0)
                .meta()
                .speculation();
        Speculation mostProbable = generate(exactDrafts, prompts(exactDrafts, 1, sampling), EAGLE)
                .get(0)
                .meta()
                .speculation();

        assertThat(drawn).isEqualTo(new Speculation(30, 30, 1.0, 4.1, 10, List.of(0, 0, 0, 10)));
        assertThat(mostProbable).isNotNull();
        assertThat(mostProbable.acceptRate()).isLessThan(0.95);
    }

    @Test
    void theSampledLawIsThatOfPlainSampling() throws IOException {
        theSampledLawIsThatOfPlainSampling(EAGLE);
    }

    @Test
    void theLawOfDrawnDraftsIsThatOfPlainSampling() throws IOException {
        theSampledLawIsThatOfPlainSampling(DRAWN);
    }

    private static void theSampledLawIsThatOfPlainSampling(String... flags) throws IOException {
        int samples = 3000;
        SamplingParams sampling =
                SamplingParams.of(3, 1).change().ignoreEos(true).n(500).done();
        for (Path model : List.of(exactDrafts, noisyDrafts)) {
            try (RunningEngine engine = RunningEngine.start(model, flags)) {
                int[] second = new int[TestModels.LETTERS];
                double[] expected = new double[TestModels.LETTERS];
                double[][] law = transitions(engine);
                for (int batch = 0; batch < samples / 500; batch++) {
                    GenerateRequest request = GenerateRequest.ofTokens("b" + batch, new int[] {4}, sampling);
                    for (GenerateResponse one : engine.client().generateSeveral(request, RunningEngine.DEADLINE)) {
                        second[one.outputIds()[2]]++;
                        // Given the token before it, the third one's law is known exactly.
                        for (int token = 0; token < TestModels.LETTERS; token++) {
                            expected[token] += law[one.outputIds()[1]][token];
                        }
                    }
                }

                // 15 degrees of freedom; 37.7 is exceeded by chance once in a thousand runs, and the seed is fixed.
                assertThat(ChiSquare.of(second, expected))
                        .as("chi-square of %s", model)
                        .isLessThan(37.7);
            }
        }
    }

    @Test
    void logprobsAreTheTargetsOwnAtTheRequestsTemperature() throws IOException {
        SamplingParams sampling = SamplingParams.of(24, 0.7)
                .change()
                .ignoreEos(true)
                .samplingSeed(5)
                .done();
        for (String[] flags : List.of(new String[0], EAGLE, DRAWN)) {
            for (GenerateResponse one : generate(TestModels.TINY, prompts(TestModels.TINY, 6, sampling), flags)) {
                double[] expected = EagerLogprobs.of(TestModels.TINY, prompt(one), one.outputIds(), 0.7);
                for (int i = 0; i < expected.length; i++) {
                    assertThat(one.meta().outputTokenLogprobs().get(i).tokenId())
                            .isEqualTo(one.outputIds()[i]);
                    assertThat(one.meta().outputTokenLogprobs().get(i).logprob())
                            .isCloseTo(expected[i], within(1e-4));
                }
            }
        }
    }

    private static int[] prompt(GenerateResponse response) {
        return prompts(TestModels.TINY, 6, SamplingParams.defaults()).stream()
                .filter(request -> request.rid().equals(response.meta().id()))
                .findFirst()
                .orElseThrow()
                .inputIds();
    }

    /** Row t: the law of the token after t, from the engine's own log-probabilities, which another test checks. */
    private static double[][] transitions(RunningEngine engine) {
        double[][] law = new double[TestModels.LETTERS][TestModels.LETTERS];
        for (int token = 0; token < TestModels.LETTERS; token++) {
            law[token] = EagerLogprobs.law(engine.engine().weights(), token);
        }
        return law;
    }

    private static List<GenerateRequest> prompts(Path model, int count, SamplingParams sampling) {
        int vocabulary = model.equals(TestModels.TINY) ? 300 : TestModels.LETTERS;
        Random random = new Random(11);
        List<GenerateRequest> requests = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            int[] prompt = random.ints(1 + random.nextInt(30), 0, vocabulary).toArray();
            requests.add(GenerateRequest.ofTokens("r" + i, prompt, sampling));
        }
        return requests;
    }

    private static List<GenerateResponse> generate(Path model, List<GenerateRequest> requests, String... flags)
            throws IOException {
        try (RunningEngine engine = RunningEngine.start(model, flags)) {
            return engine.client().generateAll(requests, RunningEngine.DEADLINE);
        }
    }

    private static int firstIndex(int[] values, int wanted) {
        int index = 0;
        while (values[index] != wanted) {
            index++;
        }
        return index;
    }
}
