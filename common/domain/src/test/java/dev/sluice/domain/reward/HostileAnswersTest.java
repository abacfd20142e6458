package dev.sluice.domain.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import com.fasterxml.jackson.databind.node.MissingNode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Answers that a model, or whoever trains one, could write to stall an instance. */
class HostileAnswersTest {
    private static final Duration EACH = Duration.ofSeconds(10);
    private static final int LETTERS = 100_000;

    private static final List<String> ANSWERS = List.of(
            "9^9^9",
            "9^9^9^9^9",
            "2^-9^9^9",
            "2**99999999",
            "((((x^9)^9)^9)^9)^9",
            "((((x+y)^9)^9)^9)^9",
            "sqrt((((2+1.5)^9)^9)^9)^9",
            "1e999999999",
            "1e-999999999+sqrt(2)",
            "99999999!",
            "9!!!!!!!!",
            "(((9!)!)!)!",
            "sqrt(2)!",
            "ln(ln(ln(ln(ln(2)))))^ln(2)",
            "x^x^x^x^x",
            "x^y-y^x",
            "1/0",
            "0^0",
            "0^-1",
            "ln(0)",
            "sqrt(x)^sqrt(y)",
            "sqrt(".repeat(100) + "2" + ")".repeat(100),
            "sqrt(".repeat(50) + "2" + ")".repeat(50),
            "-".repeat(900) + "1",
            "(".repeat(500),
            "{".repeat(900),
            "\\frac{".repeat(160) + "1",
            "\\begin{pmatrix}".repeat(60),
            "x+".repeat(450) + "x",
            "sqrt(x)+".repeat(100) + "x",
            "1,111".repeat(190),
            "1 ".repeat(450),
            "9".repeat(900) + "^9",
            "9".repeat(900) + "*" + "9".repeat(90),
            "\\sqrt".repeat(180),
            "_(".repeat(300),
            "\ud83d\ude00".repeat(400),
            "\0\1\2");

    @Test
    void noAnswerStallsAReward() {
        for (String answer : ANSWERS) {
            for (String label : List.of("sqrt(2)", "x+1", "7", answer + "+x")) {
                // When
                RewardValue value = assertTimeoutPreemptively(
                        EACH, () -> new MathAnswer().score(Response.of("\\boxed{" + answer + "}", label)), answer);
                // Then
                assertThat(value).as(answer + " | " + label).isInstanceOf(RewardValue.Single.class);
            }
        }
    }

    @Test
    void hugeResponsesAreReadInTime() {
        List<String> responses = new ArrayList<>();
        for (String piece : List.of(
                "\\boxed{",
                "}",
                "</think>",
                "###Response",
                "answer ",
                "answer\t",
                "A ",
                "a",
                " ",
                "\n",
                "1,",
                "$",
                "\\text{",
                "=",
                "final ")) {
            responses.add(piece.repeat(LETTERS / piece.length()));
            responses.add("answer" + piece.repeat(LETTERS / piece.length()));
            responses.add("</think>\\boxed{" + piece.repeat(LETTERS / piece.length()) + "}");
        }
        for (String name : Reward.names()) {
            for (String response : responses) {
                // When
                RewardValue value = assertTimeoutPreemptively(
                        Duration.ofSeconds(20),
                        () -> Reward.named(name).orElseThrow().score(Response.of(response, "7")),
                        name + " of " + response.substring(0, 20));
                // Then
                assertThat(value).isNotNull();
            }
        }
    }

    @Test
    void randomAnswersAlwaysGetAScoreInTime() {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        String[] pieces = {
            "x", "y", "2", "9", "0", ".", "^", "(", ")", "{", "}", "\\frac", "\\sqrt", "sqrt(", "ln(", "!", "*", "/",
            "-", "+", " ", ",", "\\pi", "pi", "=", "\\", "[", "]", "e", "\\text{", "&"
        };
        for (int round = 0; round < 3000; round++) {
            StringBuilder answer = new StringBuilder();
            for (int i = random.nextInt(40); i >= 0; i--) {
                answer.append(pieces[random.nextInt(pieces.length)]);
            }
            String text = "</think>\\boxed{" + answer + "}";
            // When
            RewardValue value = assertTimeoutPreemptively(
                    EACH,
                    () -> new DeepScaler().score(new Response("", text, "sqrt(2)x", MissingNode.getInstance())),
                    () -> "seed " + seed + ": " + answer);
            // Then
            assertThat(value).isInstanceOf(RewardValue.Single.class);
        }
    }
}
