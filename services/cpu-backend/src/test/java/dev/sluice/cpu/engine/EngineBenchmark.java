package dev.sluice.cpu.engine;

import dev.sluice.checkpoint.HuggingFaceCheckpoint;
import dev.sluice.cpu.model.Tensors;
import dev.sluice.cpu.model.Weights;
import dev.sluice.http.Json;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.text.Tokenizer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Tokens a second of one thread inside the engine, with 64 samples at once and with one, plain and with EAGLE, taken in turns;
 * then through HTTP with log-probabilities. Runs only when it is asked for: {@code ./mvnw -pl services/cpu-backend -am test
 * -Dtest=EngineBenchmark -Dsurefire.failIfNoSpecifiedTests=false}.
 */
class EngineBenchmark {
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final Path EXAMPLE = Path.of(System.getProperty("sluice.root"), "deploy/examples/tiny/model");
    private static final int TASK_PROMPTS = 200;
    private static final int[] PROMPT = {5, 6, 7, 8};
    private static final int TOKENS = 100;
    private static final int CONTEXT = 128;
    private static final int ROUNDS = 7;
    private static final int DRAFT_STEPS = Integer.getInteger("bench.steps", 2);

    @Test
    void printsTokensASecond() throws IOException {
        Tensors.useOneThread();
        measure("3 layers (1 dense, 2 MoE), fixture", TestModels.TINY);
        measure("shipped example", EXAMPLE);
        compareOnTheTask(Path.of(System.getProperty("bench.model", EXAMPLE.toString())));
    }

    /** One sample at a time on the example's own prompts, to the model's own end; {@code -Dbench.model=DIR} takes a trained export, {@code -Dbench.steps=N} another number of drafts. */
    private static void compareOnTheTask(Path model) throws IOException {
        List<int[]> prompts;
        StopCheck stops;
        try (Tokenizer tokenizer = Tokenizer.open(model)) {
            prompts = Files.readAllLines(EXAMPLE.resolveSibling("prompts.jsonl")).stream()
                    .limit(TASK_PROMPTS)
                    .map(EngineBenchmark::prompt)
                    .map(tokenizer::encode)
                    .toList();
            stops = new StopCheck(Set.copyOf(tokenizer.endOfSequenceIds()), null);
        }
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model);
                Weights weights = Weights.load(checkpoint)) {
            try (Generator plain = generator(weights, 1, 0);
                    Generator eagle = generator(weights, 1, DRAFT_STEPS)) {
                double[] plainRates = new double[ROUNDS];
                double[] eagleRates = new double[ROUNDS];
                for (int round = -2; round < ROUNDS; round++) {
                    double one = taskRate(plain, prompts, stops, round);
                    double other = taskRate(eagle, prompts, stops, round);
                    if (round >= 0) {
                        plainRates[round] = one;
                        eagleRates[round] = other;
                    }
                }
                System.out.printf(
                        "the example's task, one at a time: plain %,.0f tokens/s, EAGLE %,.0f tokens/s, ratio %.2f%n",
                        median(plainRates), median(eagleRates), median(eagleRates) / median(plainRates));
            }
        }
    }

    private static String prompt(String line) {
        try {
            return Json.MAPPER.readTree(line).get("prompt").asText();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static double taskRate(Generator generator, List<int[]> prompts, StopCheck stops, int round) {
        long tokens = 0;
        long begin = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < prompts.size(); i++) {
            Sequence sample = new Sequence(request(1000L * round + i, prompts.get(i), false), stops);
            generator.admit(List.of(sample));
            while (!generator.isIdle()) {
                generator.step();
            }
            tokens += sample.outputLength();
        }
        return 1e9 * tokens / (THREADS.getCurrentThreadCpuTime() - begin);
    }

    private static void measure(String name, Path model) throws IOException {
        try (HuggingFaceCheckpoint checkpoint = HuggingFaceCheckpoint.open(model);
                Weights weights = Weights.load(checkpoint)) {
            for (int slots : new int[] {64, 1}) {
                try (Generator plain = generator(weights, slots, 0);
                        Generator eagle = generator(weights, slots, DRAFT_STEPS)) {
                    double[] plainRates = new double[ROUNDS];
                    double[] eagleRates = new double[ROUNDS];
                    for (int round = -2; round < ROUNDS; round++) {
                        double one = tokensPerSecond(plain, slots, round);
                        double other = tokensPerSecond(eagle, slots, round);
                        if (round >= 0) {
                            plainRates[round] = one;
                            eagleRates[round] = other;
                        }
                    }
                    System.out.printf(
                            "%-36s %2d slots: plain %,8.0f tokens/s, EAGLE %,8.0f tokens/s, ratio %.2f%n",
                            name,
                            slots,
                            median(plainRates),
                            median(eagleRates),
                            median(eagleRates) / median(plainRates));
                }
            }
        }
        overHttp(name, model);
    }

    private static Generator generator(Weights weights, int slots, int draftSteps) {
        return new Generator(weights, new Generator.Settings(slots, CONTEXT, 512, draftSteps, false));
    }

    /** Of processor time, so that a busy machine takes less of the figures away. */
    private static double tokensPerSecond(Generator generator, int slots, int round) {
        StopCheck stops = new StopCheck(Set.of(), null);
        List<Sequence> samples = IntStream.range(0, slots)
                .mapToObj(index -> new Sequence(request(1000L * round + index, PROMPT, true), stops))
                .toList();
        long begin = THREADS.getCurrentThreadCpuTime();
        generator.admit(samples);
        while (!generator.isIdle()) {
            generator.step();
        }
        return 1e9 * slots * TOKENS / (THREADS.getCurrentThreadCpuTime() - begin);
    }

    private static GenerationRequest request(long seed, int[] prompt, boolean ignoreEos) {
        Sampling sampling = new Sampling(
                TOKENS,
                new Sampling.LawParams(1, false, Integer.MAX_VALUE, 1, 0),
                LogitAdjustment.NONE,
                new Sampling.Stops(List.of(), List.of(), Set.of(), ignoreEos, true),
                true,
                OptionalLong.of(seed),
                1,
                1);
        return new GenerationRequest(
                "r" + seed,
                prompt,
                sampling,
                new GenerationRequest.WantedLogprobs(true, -1, 0, List.of(), false),
                new Coins(seed),
                null,
                0,
                sample -> {});
    }

    private static void overHttp(String name, Path model) throws IOException {
        try (RunningEngine engine = RunningEngine.start(
                model, "--max-running-requests", "64", "--context-length", Integer.toString(CONTEXT))) {
            double[] rates = new double[ROUNDS];
            for (int round = -2; round < ROUNDS; round++) {
                int base = 1000 * round + 3000;
                List<GenerateRequest> batch = IntStream.range(0, 64)
                        .mapToObj(index -> GenerateRequest.ofTokens(
                                "h" + (base + index),
                                PROMPT,
                                SamplingParams.of(TOKENS, 1)
                                        .change()
                                        .ignoreEos(true)
                                        .samplingSeed(base + index)
                                        .done()))
                        .toList();
                long begin = System.nanoTime();
                List<GenerateResponse> replies = engine.client().generateAll(batch, Duration.ofSeconds(60));
                long tokens = replies.stream()
                        .mapToLong(reply -> reply.outputIds().length)
                        .sum();
                if (round >= 0) {
                    rates[round] = 1e9 * tokens / (System.nanoTime() - begin);
                }
            }
            System.out.printf("%-36s through HTTP, 64 at once: %,8.0f tokens/s of wall time%n", name, median(rates));
        }
    }

    private static double median(double[] values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
