package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.PauseMode;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.sglang.SglangClient;
import dev.sluice.sglang.StreamedSamples;
import dev.sluice.sglang.StreamedSamples.Labelled;
import dev.sluice.sglang.WeightUpdate;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Weights that change in the middle of a stream. Expected log-probabilities are those of the eager model over the whole
 * sequence, which knows neither cache nor pause.
 */
class PauseModesTest {
    private static final int[] PROMPT = {4, 5, 6};
    private static final int TOKENS = 400;
    /** Of log-probabilities around -5, in float32 over 400 positions and two implementations. */
    private static final double PRECISION = 2e-3;
    /** A whole sample may come before the pause does. */
    private static final int ATTEMPTS = 20;

    @TempDir
    private Path root;

    private Path first;

    @BeforeEach
    void makeAModelWhoseAttentionMatters() throws IOException {
        first = TestModels.noisy(TestModels.TINY, root.resolve("v1"), 1, 0.3, "o_proj", "kv_b_proj", "lm_head");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "--incremental-streaming-output"})
    void retractedSamplesAreComputedAgainByTheNewWeights(String flag) throws Exception {
        Path second = TestModels.noisy(first, root.resolve("v2"), 2, 0.3, "kv_a_proj", "lm_head");

        StreamedSamples.Sample sample = acrossUpdate(PauseMode.RETRACT, second, flag);

        assertThat(sample.response().meta().numRetractions()).isEqualTo(1);
        assertAgrees(sample, first, 0, sure(sample));
        assertAgrees(sample, second, counted(sample), TOKENS);
    }

    @Test
    void samplesPausedInPlaceGoOnByTheNewWeights() throws Exception {
        // The output layer has no part in the cache: with or without the old one the rest is the same.
        Path second = TestModels.noisy(first, root.resolve("v2"), 2, 0.3, "lm_head");

        StreamedSamples.Sample sample = acrossUpdate(PauseMode.IN_PLACE, second, "");

        assertThat(sample.response().meta().numRetractions()).isZero();
        assertAgrees(sample, first, 0, sure(sample));
        assertAgrees(sample, second, counted(sample), TOKENS);
    }

    @Test
    void samplesPausedInPlaceKeepTheCacheOfTheOldWeights() throws Exception {
        Path second = TestModels.noisy(first, root.resolve("v2"), 2, 0.3, "kv_a_proj");

        StreamedSamples.Sample sample = acrossUpdate(PauseMode.IN_PLACE, second, "");

        assertAgrees(sample, first, 0, sure(sample));
        // What the new weights would have made of the whole sequence is something else.
        double[] recomputed = expected(sample, second);
        int from = counted(sample);
        double farthest = 0;
        for (int i = from; i < TOKENS; i++) {
            farthest = Math.max(farthest, Math.abs(logprob(sample, i) - recomputed[i]));
        }
        assertThat(farthest).isGreaterThan(10 * PRECISION);
    }

    @ParameterizedTest
    @EnumSource(
            value = PauseMode.class,
            names = {"RETRACT", "IN_PLACE"})
    void speculationGoesOnUnderNewWeightsToo(PauseMode mode) throws Exception {
        Path second = TestModels.noisy(first, root.resolve("v2"), 2, 0.3, "lm_head");

        StreamedSamples.Sample sample = acrossUpdate(mode, second, "--speculative-algorithm", "EAGLE");

        assertAgrees(sample, first, 0, sure(sample));
        assertAgrees(sample, second, counted(sample), TOKENS);
    }

    @Test
    void aStreamIntervalMakesFewerFramesOfTheSameSample() throws Exception {
        try (RunningEngine engine = start()) {
            StreamedSamples every = new StreamedSamples(1);
            engine.client().stream(List.of(request(1)), every, RunningEngine.DEADLINE);
            Map<String, Object> sampling =
                    Map.of("max_new_tokens", TOKENS, "sampling_seed", 5, "ignore_eos", true, "stream_interval", 50);

            String[] frames = engine.post(
                            "/generate", Map.of("input_ids", PROMPT, "sampling_params", sampling, "stream", true))
                    .text()
                    .split("\n\n");

            assertThat(frames).hasSizeBetween(2, 1 + TOKENS / 50 + 2);
            JsonNode last = Json.MAPPER.readTree(frames[frames.length - 2].substring("data: ".length()));
            assertThat(Json.MAPPER.convertValue(last.get("output_ids"), int[].class))
                    .isEqualTo(every.at(0).orElseThrow().response().outputIds());
        }
    }

    private RunningEngine start(String... flags) throws IOException {
        String[] given = Stream.concat(
                        Stream.of("--weight-version", "1", "--skip-tokenizer-init"),
                        Arrays.stream(flags).filter(flag -> !flag.isEmpty()))
                .toArray(String[]::new);
        return RunningEngine.start(first, given);
    }

    private static GenerateRequest request(int interval) {
        return GenerateRequest.ofTokens(
                "r",
                PROMPT,
                SamplingParams.of(TOKENS, 1)
                        .change()
                        .ignoreEos(true)
                        .samplingSeed(5)
                        .streamInterval(interval)
                        .done());
    }

    private StreamedSamples.Sample acrossUpdate(PauseMode mode, Path second, String... flags) throws Exception {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            try (RunningEngine engine = start(flags)) {
                SglangClient client = engine.client();
                StreamedSamples samples = new StreamedSamples(1);
                CompletableFuture<Void> running = CompletableFuture.runAsync(
                        () -> client.stream(List.of(request(1)), samples, RunningEngine.DEADLINE),
                        task -> Thread.ofVirtual().start(task));
                await().until(() -> tokens(samples) > 20);
                client.pauseGeneration(mode, RunningEngine.DEADLINE);
                WeightUpdate update = WeightUpdate.of(second.toString(), "2");
                boolean keeps = mode == PauseMode.IN_PLACE;
                assertThat(keeps || client.flushCache(RunningEngine.DEADLINE)).isTrue();
                assertThat(client.updateWeightsFromDisk(keeps ? update.keepingCache() : update, RunningEngine.DEADLINE)
                                .success())
                        .isTrue();
                client.continueGeneration();
                running.get();
                StreamedSamples.Sample sample = samples.at(0).orElseThrow();
                if (sample.labels().size() == 2 && counted(sample) < TOKENS) {
                    return sample;
                }
            }
        }
        throw new AssertionError("no sample of " + ATTEMPTS + " was on the way when weights changed");
    }

    private static int tokens(StreamedSamples samples) {
        return samples.at(0).map(sample -> sample.response().outputIds().length).orElse(0);
    }

    /** Tokens that the old weights sampled for certain. */
    private static int sure(StreamedSamples.Sample sample) {
        return sample.labels().getFirst().tokens();
    }

    /** Tokens that count to the old weights. */
    private static int counted(StreamedSamples.Sample sample) {
        Labelled newer = sample.labels().getLast();
        assertThat(newer.weightVersion()).isEqualTo("2");
        return sure(sample) + newer.first();
    }

    private static double logprob(StreamedSamples.Sample sample, int token) {
        return sample.response().meta().outputTokenLogprobs().get(token).logprob();
    }

    private static double[] expected(StreamedSamples.Sample sample, Path model) {
        return EagerLogprobs.of(model, PROMPT, sample.response().outputIds(), 1);
    }

    private static void assertAgrees(StreamedSamples.Sample sample, Path model, int from, int to) {
        double[] expected = expected(sample, model);
        assertThat(to).isGreaterThan(from);
        for (int i = from; i < to; i++) {
            assertThat(logprob(sample, i))
                    .as("log-probability of token %d by %s", i, model.getFileName())
                    .isCloseTo(expected[i], within(PRECISION));
        }
    }
}
