package dev.sluice.cli.eval;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What the samples of one set were worth.
 *
 * @param set its name
 * @param prompts with at least one scored sample
 * @param samples that have a reward
 * @param unscored samples without one, which count nowhere
 * @param meanReward mean of the prompts' mean rewards
 * @param halfWidth of its 95 % interval, over prompts: 1.96 standard errors; 0 for a single prompt
 * @param passAt by k, the probability that one of k samples of a prompt passes
 * @param truncated share of samples that were cut at the longest length
 * @param meanTokens of a response
 * @param file a line for each sample
 */
public record SampleScores(
        String set,
        int prompts,
        int samples,
        int unscored,
        double meanReward,
        double halfWidth,
        Map<Integer, Double> passAt,
        double truncated,
        double meanTokens,
        String file) {
    private static final double NORMAL_95 = 1.96;

    /** Sums over the lines of a file. */
    private static final class Sums {
        private final Map<Integer, List<Double>> rewardsByLine = new LinkedHashMap<>();
        private int samples;
        private int unscored;
        private int truncated;
        private long tokens;

        private void add(JsonNode line) {
            samples++;
            truncated += line.path("finishReason").asText().equals("length") ? 1 : 0;
            tokens += line.path("tokens").asLong();
            if (line.path("reward").isNumber()) {
                rewardsByLine
                        .computeIfAbsent(line.path("line").asInt(), row -> new ArrayList<>())
                        .add(line.path("reward").asDouble());
            } else {
                unscored++;
            }
        }
    }

    /**
     * Reads a run's file of samples.
     *
     * @param passReward least reward of a sample that passes
     */
    public static SampleScores read(String set, Path file, double passReward) throws IOException {
        Sums sums = new Sums();
        try (BufferedReader lines = Files.newBufferedReader(file)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                sums.add(EventJson.mapper().readTree(line));
            }
        }
        List<List<Double>> prompts = List.copyOf(sums.rewardsByLine.values());
        double[] means = prompts.stream()
                .mapToDouble(rewards -> rewards.stream()
                        .mapToDouble(Double::doubleValue)
                        .average()
                        .orElse(0))
                .toArray();
        return new SampleScores(
                set,
                prompts.size(),
                sums.samples - sums.unscored,
                sums.unscored,
                mean(means),
                halfWidth(means),
                passAt(prompts, passReward),
                (double) sums.truncated / Math.max(1, sums.samples),
                (double) sums.tokens / Math.max(1, sums.samples),
                file.toString());
    }

    private static double mean(double[] values) {
        return Arrays.stream(values).average().orElse(0);
    }

    private static double halfWidth(double[] values) {
        if (values.length < 2) {
            return 0;
        }
        double mean = mean(values);
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        return NORMAL_95 * Math.sqrt(squares / (values.length - 1) / values.length);
    }

    /** For k = 1, 2, 4, ... as far as every prompt has so many samples. */
    private static Map<Integer, Double> passAt(List<List<Double>> prompts, double passReward) {
        int least = prompts.stream().mapToInt(List::size).min().orElse(0);
        Map<Integer, Double> passAt = new TreeMap<>();
        for (int k = 1; k <= least; k *= 2) {
            double sum = 0;
            for (List<Double> rewards : prompts) {
                int passed = (int)
                        rewards.stream().filter(reward -> reward >= passReward).count();
                sum += passAt(rewards.size(), passed, k);
            }
            passAt.put(k, sum / prompts.size());
        }
        return passAt;
    }

    /**
     * The unbiased estimate 1 - C(n-c, k) / C(n, k), as a product.
     *
     * @param n samples
     * @param c of these that pass
     * @see <a href="https://arxiv.org/abs/2107.03374">Evaluating large language models trained on code, section 2.1</a>
     */
    static double passAt(int n, int c, int k) {
        if (n - c < k) {
            return 1;
        }
        double none = 1;
        for (int i = n - c + 1; i <= n; i++) {
            none *= 1 - (double) k / i;
        }
        return 1 - none;
    }
}
