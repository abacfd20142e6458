package dev.sluice.cpu.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code --dtype bfloat16} beside float32 on the same checkpoint. */
class Bfloat16Test {
    private static final int[] PROMPT = {5, 6, 7};
    private static final int TOKENS = 30;
    private static final int SAMPLES = 8;

    @Test
    void logprobsAreThoseOfTheEagerFloat32ModelUpToRounding() throws IOException {
        List<Double> differences = differences();

        // A score of size 1 to 4 has steps of 2^-8 to 2^-6; a router's choice that tips over moves single tokens
        // further.
        theyAreOfRounding(differences);
    }

    @Test
    void draftsChangeNoneOfIt() throws IOException {
        List<Double> differences = differences("--speculative-algorithm", "EAGLE");

        theyAreOfRounding(differences);
    }

    @Test
    void cachesTakeHalfTheRoom() throws IOException {
        try (RunningEngine single = RunningEngine.start(TestModels.TINY);
                RunningEngine half = RunningEngine.start(TestModels.TINY, "--dtype", "bfloat16")) {
            assertThat(2 * half.engine().cacheBytes()).isEqualTo(single.engine().cacheBytes());
        }
    }

    @Test
    void otherTypesAreRefusedWithThoseThatAreComputed() {
        assertThatThrownBy(
                        () -> EngineOptions.of(LaunchFlags.parse(List.of("--model-path", "m", "--dtype", "float16"))))
                .hasMessageContaining("argument --dtype")
                .hasMessageContaining("float32 (auto) or bfloat16");
    }

    /** Of sampled tokens' log-probabilities from those that the float32 model gives the same tokens. */
    private static List<Double> differences(String... speculation) throws IOException {
        List<String> flags = new ArrayList<>(List.of("--dtype", "bfloat16"));
        flags.addAll(List.of(speculation));
        List<Double> differences = new ArrayList<>();
        try (RunningEngine engine = RunningEngine.start(TestModels.TINY, flags.toArray(String[]::new))) {
            for (int seed = 0; seed < SAMPLES; seed++) {
                GenerateResponse sample = engine.generate(
                        PROMPT,
                        SamplingParams.of(TOKENS, 1)
                                .change()
                                .ignoreEos(true)
                                .samplingSeed(seed)
                                .done());
                double[] expected = EagerLogprobs.of(TestModels.TINY, PROMPT, sample.outputIds(), 1);
                for (int i = 0; i < expected.length; i++) {
                    differences.add(
                            Math.abs(sample.meta().outputTokenLogprobs().get(i).logprob() - expected[i]));
                }
            }
        }
        return differences;
    }

    /** A score of size 1 to 4 has steps of 2^-8 to 2^-6. A router's choice that tips over moves a few tokens further. */
    private static void theyAreOfRounding(List<Double> differences) {
        List<Double> ascending = differences.stream().sorted().toList();
        assertThat(ascending.get(ascending.size() / 2)).isBetween(1e-4, 2e-2);
        assertThat(ascending.get(ascending.size() * 9 / 10)).isLessThan(6e-2);
    }
}
