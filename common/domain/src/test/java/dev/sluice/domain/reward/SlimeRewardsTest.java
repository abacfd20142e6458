package dev.sluice.domain.reward;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.sluice.events.EventJson;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The rewards beside slime's rm_hub, run in Python 3.11 with sympy 1.14.0 and pylatexenc 2.11. {@code slime-rewards.jsonl} holds chosen
 * cases, {@code slime-random.jsonl} random ones of {@code math} (seed 20261126), each with what math_utils, deepscaler, f1, gpqa and
 * math_dapo_utils said; the last with the normal form of verl 0.9.1's math_dapo, which is the same but for two end marks that were added.
 * Cases on which slime's code itself fails are left out.
 */
class SlimeRewardsTest {
    /** Where we part from sympy on purpose: case by its answer and label, and why. */
    private static final Map<String, String> DEPARTURES = Map.of(
            math("0.3", "0.1+0.2"), "sympy adds doubles: 0.1 + 0.2 is 0.30000000000000004 there",
            math("3/10", "0.1+0.2"), "as above",
            math("0.1+0.2", "0.3"), "as above",
            math("0.1+0.2", "3/10"), "as above");

    private static String math(String answer, String label) {
        return "math So the answer is \\boxed{%s}. | %s".formatted(answer, label);
    }

    @Test
    void everyRewardSaysWhatSlimesSays() throws IOException {
        // Given
        List<JsonNode> cases = cases("slime-rewards.jsonl");
        // When
        List<String> others = cases.stream()
                .filter(one -> score(one) != one.get("expected").asDouble())
                .filter(one -> !DEPARTURES.containsKey(name(one)))
                .map(one -> "%s: slime says %s, we %s".formatted(name(one), one.get("expected"), score(one)))
                .toList();
        // Then
        assertThat(cases).hasSizeGreaterThan(600);
        assertThat(others).isEmpty();
    }

    @Test
    void randomAnswersAreJudgedAsSlimeJudgesThem() throws IOException {
        // Given
        List<JsonNode> cases = cases("slime-random.jsonl");
        // When
        List<String> others = cases.stream()
                .filter(one -> score(one) != one.get("expected").asDouble())
                .map(one -> "%s: slime says %s, we %s".formatted(name(one), one.get("expected"), score(one)))
                .toList();
        // Then
        assertThat(cases).hasSize(500);
        assertThat(others).isEmpty();
    }

    @Test
    void whereWePartFromSympyWeStillDo() throws IOException {
        // When
        List<String> parted = cases("slime-rewards.jsonl").stream()
                .filter(one -> score(one) != one.get("expected").asDouble())
                .map(SlimeRewardsTest::name)
                .toList();
        // Then
        assertThat(parted).containsExactlyInAnyOrderElementsOf(DEPARTURES.keySet());
    }

    private static String name(JsonNode one) {
        return "%s %s | %s"
                .formatted(
                        one.get("reward").asText(),
                        one.get("response").asText(),
                        one.get("label").asText());
    }

    private static double score(JsonNode one) {
        Response response =
                new Response("", one.get("response").asText(), one.get("label").asText(), one.path("metadata"));
        RewardValue value = Reward.named(one.get("reward").asText())
                .orElseThrow()
                .score(response)
                .at(null);
        return value instanceof RewardValue.Single single ? single.score() : Double.NaN;
    }

    private static List<JsonNode> cases(String file) throws IOException {
        try (var lines = new BufferedReader(
                new InputStreamReader(SlimeRewardsTest.class.getResourceAsStream(file), StandardCharsets.UTF_8))) {
            return lines.lines().map(SlimeRewardsTest::parsed).collect(Collectors.toList());
        }
    }

    private static JsonNode parsed(String line) {
        try {
            return EventJson.mapper().readTree(line);
        } catch (IOException e) {
            throw new IllegalArgumentException(line, e);
        }
    }
}
