package dev.sluice.rollout.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.MissingNode;
import dev.sluice.domain.reward.Response;
import dev.sluice.domain.reward.RewardFunction;
import dev.sluice.domain.reward.RewardValue;
import dev.sluice.events.TrainingRequest.Reward;
import dev.sluice.events.TrainingRequest.RewardPart;
import dev.sluice.http.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RewardsTest {
    private final AtomicBoolean ended = new AtomicBoolean();

    @AfterEach
    void end() {
        ended.set(true);
    }

    /** A reward of one's own that a test makes up. */
    private record Own(String name, Body body) implements RewardFunction {
        interface Body {
            List<RewardValue> score(List<Response> responses) throws Exception;
        }

        @Override
        public List<RewardValue> score(List<Response> responses) throws Exception {
            return body.score(responses);
        }
    }

    /** A reward that a jar provides. */
    public static final class Length implements RewardFunction {
        @Override
        public String name() {
            return "length";
        }

        @Override
        public List<RewardValue> score(List<Response> responses) {
            return responses.stream()
                    .map(response -> RewardValue.of(response.text().length()))
                    .toList();
        }
    }

    @Test
    void aMixtureIsTheWeightedSumOfItsRewards() {
        // Given
        Reward mixture =
                new Reward("mixture", null, null, 120, false, List.of(part("dapo", "score", 1), part("f1", null, 0.2)));
        // When
        List<Score> scores = rewards().score(ask(mixture, "Answer: 7", "7", "8"));
        // Then: dapo 1, -1, -1; f1 of "answer 7" and "7" is 2/3
        assertThat(scores).extracting(Score::reward).containsExactly(1 + 0.2 * 2 / 3, -1 + 0.2, -1.0);
    }

    @Test
    void aMixtureOfWhichOnePartHasNoScoreHasNone() {
        // Given
        Reward mixture =
                new Reward("mixture", null, null, 120, false, List.of(part("f1", null, 1), part("f1", "acc", 1)));
        // When
        Score score = rewards().score(ask(mixture, "7")).getFirst();
        // Then
        assertThat(score.unscored())
                .isEqualTo("reward f1: the reward is the number 1.0, which has no key acc; leave reward.key out");
    }

    @Test
    void aRowsOwnTypeGoesBeforeTheRequests() throws JsonProcessingException {
        // Given
        var response = new Response("", "\\boxed{7}", "7", Json.MAPPER.readTree("{\"rm_type\": \"boxed_exact\"}"));
        // When
        List<Score> scores =
                rewards().score(new RewardAsk(Reward.named("exact"), "p", List.of(response), Duration.ofSeconds(9)));
        // Then
        assertThat(scores).containsExactly(Score.of(1));
    }

    @Test
    void ifbenchWithoutAnAddressSaysWhoComputesIt() throws JsonProcessingException {
        // Given
        var response = new Response("", "r", null, Json.MAPPER.readTree("{\"rm_type\": \"ifbench\"}"));
        // When
        Score score = rewards()
                .score(new RewardAsk(Reward.named("exact"), "p", List.of(response), Duration.ofSeconds(9)))
                .getFirst();
        // Then
        assertThat(score.unscored()).contains("IFBench", "sluice-hooks --reward sluice_hooks.ifbench.reward");
    }

    @Test
    void anOwnRewardThatHangsIsLeftAloneAfterItsTime() {
        // Given
        var hanging = new Own("hanging", responses -> deafUntilTheTestEnds());
        // When
        Score score = rewards(hanging).score(ask(own("hanging", false), "r")).getFirst();
        // Then
        assertThat(score.unscored()).isEqualTo("reward own:hanging: hanging did not end within 1.0 s");
    }

    @Test
    void anOwnRewardThatFailsSaysHow() {
        // Given
        var deep = new Own("deep", responses -> deep(responses));
        // When
        Score score = rewards(deep).score(ask(own("deep", false), "r")).getFirst();
        // Then
        assertThat(score.unscored()).isEqualTo("reward own:deep: deep failed: java.lang.StackOverflowError");
    }

    @SuppressWarnings("InfiniteRecursion")
    private static List<RewardValue> deep(List<Response> responses) {
        return deep(responses);
    }

    @Test
    void anOwnRewardThatMiscountsScoresNobody() {
        // Given
        var one = new Own("one", responses -> List.of(RewardValue.of(1)));
        // When
        List<Score> scores = rewards(one).score(ask(own("one", true), "r", "s"));
        // Then
        assertThat(scores)
                .extracting(Score::unscored)
                .containsOnly("reward own:one: 2 responses were given to one and it returned 1 values");
    }

    @Test
    void anOwnRewardThatLiesScoresNobody() {
        // Given
        var lying = new Own("lying", responses -> List.of(new RewardValue.Single(Double.NaN)));
        // When
        Score score = rewards(lying).score(ask(own("lying", false), "r")).getFirst();
        // Then
        assertThat(score.reward()).isNull();
        assertThat(score.unscored()).contains("NaN");
    }

    @Test
    void aGroupIsJudgedTogetherWhereTheRequestSaysSo() {
        // Given
        var first = new Own(
                "first",
                responses -> responses.stream()
                        .map(response -> RewardValue.of(response == responses.getFirst()))
                        .toList());
        // When
        List<Score> together = rewards(first).score(ask(own("first", true), "r", "s"));
        List<Score> apart = rewards(first).score(ask(own("first", false), "r", "s"));
        // Then
        assertThat(together).extracting(Score::reward).containsExactly(1.0, 0.0);
        assertThat(apart).extracting(Score::reward).containsExactly(1.0, 1.0);
    }

    @Test
    void afterSomeLostThreadsAnOwnRewardIsNotCalledAnyMore() {
        // Given
        GuardedThread thread = new GuardedThread("deaf");
        List<String> refusals = new ArrayList<>();
        // When: a thread that is not yet running when its time is over is not lost, so some more are tried
        for (int i = 0; i < 4 * GuardedThread.MAX_LOST; i++) {
            assertThatThrownBy(() -> thread.call(Time.of(Duration.ofMillis(20)), this::deafUntilTheTestEnds))
                    .satisfies(failure -> refusals.add(failure.getMessage()));
        }
        // Then
        assertThat(refusals.getFirst()).isEqualTo("deaf did not end within 0.0 s");
        assertThat(refusals.getLast()).isEqualTo("16 calls of deaf never ended; mend it and restart the instance");
    }

    private List<RewardValue> deafUntilTheTestEnds() {
        while (!ended.get()) {
            try {
                Thread.sleep(5);
            } catch (InterruptedException e) {
                continue; // it does not listen
            }
        }
        return List.of();
    }

    @Test
    void aJarProvidesRewards(@TempDir Path folder) throws IOException {
        // Given
        Path jar = folder.resolve("own.jar");
        try (OutputStream file = Files.newOutputStream(jar);
                JarOutputStream out = new JarOutputStream(file)) {
            out.putNextEntry(new JarEntry("META-INF/services/" + RewardFunction.class.getName()));
            out.write(Length.class.getName().getBytes(StandardCharsets.UTF_8));
        }
        // When
        Rewards rewards = new Rewards(List.of(), 4, OwnRewards.load(List.of(jar)));
        // Then
        assertThat(rewards.score(ask(own("length", false), "four"))).containsExactly(Score.of(4));
        assertThat(rewards.score(ask(own("other", false), "four")).getFirst().unscored())
                .contains("no own reward other, only [length]");
    }

    @Test
    void aJarThatIsNotThereStopsTheService() {
        assertThatThrownBy(() -> OwnRewards.load(List.of(Path.of("/no/such.jar"))))
                .hasMessageContaining("/no/such.jar, which cannot be read");
    }

    private static Rewards rewards(RewardFunction... own) {
        return new Rewards(List.of(), 4, new OwnRewards(List.of(own)));
    }

    private static Reward own(String name, boolean group) {
        return new Reward("own:" + name, null, null, 1, group, List.of());
    }

    private static RewardPart part(String type, String key, double weight) {
        return new RewardPart(type, key, null, weight, 10, false);
    }

    private static RewardAsk ask(Reward reward, String... responses) {
        return new RewardAsk(
                reward,
                "p",
                List.of(responses).stream()
                        .map(text -> new Response("p", text, "7", MissingNode.getInstance()))
                        .toList(),
                Duration.ofSeconds(30));
    }
}
