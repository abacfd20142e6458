package dev.sluice.cli.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SampleScoresTest {
    @TempDir
    Path folder;

    /** By counting: of the C(n, k) ways to draw k samples, those with none that passes are C(n-c, k). */
    @ParameterizedTest
    @CsvSource({"4, 1, 1, 0.25", "4, 1, 2, 0.5", "4, 2, 2, 0.8333333333", "4, 0, 4, 0", "4, 1, 4, 1", "5, 2, 3, 0.9"})
    void passAtKIsTheShareOfDrawsWithOneThatPasses(int n, int c, int k, double expected) {
        assertThat(SampleScores.passAt(n, c, k)).isCloseTo(expected, within(1e-9));
    }

    /** Prompt means 0.5 and 1: mean 0.75, deviation 0.353553, standard error 0.25, half-width 1.96 * 0.25 = 0.49. */
    @Test
    void scoresAreThoseOfPromptsAndUnscoredSamplesCountNowhere() throws IOException {
        Path file = Files.write(
                folder.resolve("set.jsonl"),
                List.of(
                        line(1, "1.0", "stop"),
                        line(1, "0.0", "length"),
                        line(2, "1.0", "stop"),
                        line(2, "1.0", "stop"),
                        line(3, "null", "stop")));

        SampleScores scores = SampleScores.read("set", file, 1);

        assertThat(scores.prompts()).isEqualTo(2);
        assertThat(scores.samples()).isEqualTo(4);
        assertThat(scores.unscored()).isOne();
        assertThat(scores.meanReward()).isCloseTo(0.75, within(1e-9));
        assertThat(scores.halfWidth()).isCloseTo(0.49, within(1e-9));
        assertThat(scores.passAt()).containsOnlyKeys(1, 2);
        assertThat(scores.passAt().get(1)).isCloseTo(0.75, within(1e-9));
        assertThat(scores.truncated()).isCloseTo(0.2, within(1e-9));
        assertThat(scores.meanTokens()).isCloseTo(6, within(1e-9));
    }

    private static String line(int line, String reward, String finishReason) {
        return "{\"line\": %d, \"reward\": %s, \"finishReason\": \"%s\", \"tokens\": 6}"
                .formatted(line, reward, finishReason);
    }
}
