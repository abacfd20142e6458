package dev.sluice.rollout.reward;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.MissingNode;
import dev.sluice.domain.reward.Response;
import dev.sluice.events.TrainingRequest.Reward;
import dev.sluice.http.Json;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RemoteRewardTest {
    private FakeRewardService service;
    private Rewards rewards;

    @BeforeEach
    void start() throws IOException {
        service = new FakeRewardService();
        rewards = new Rewards(List.of(service.url()), 64, new OwnRewards(List.of()));
    }

    @AfterEach
    void stop() {
        service.close();
    }

    @Test
    void promptResponseAndLabelAreSentAsSlimeSendsThem() throws IOException {
        // Given
        service.answers(200, "0.25");
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score).isEqualTo(Score.of(0.25));
        assertThat(Json.MAPPER.readTree(service.bodies.getFirst()))
                .isEqualTo(Json.MAPPER.readTree("{\"prompt\": \"1+1=\", \"response\": \"r0\", \"label\": \"2\"}"));
    }

    @Test
    void aRowsMetadataIsSentAlong() throws IOException {
        // Given
        service.answers(200, "1");
        var response = new Response("", "r", "2", Json.MAPPER.readTree("{\"level\": 3}"));
        // When
        rewards.score(new RewardAsk(remote(null, false), "p", List.of(response), Duration.ofSeconds(5)));
        // Then
        assertThat(Json.MAPPER
                        .readTree(service.bodies.getFirst())
                        .at("/metadata/level")
                        .asInt())
                .isEqualTo(3);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "1 | 1.0 |",
                "true | 1.0 |",
                "-2.5e1 | -25.0 |",
                "NaN | | the reply is not a JsonNode",
                "1e999 | | not a number",
                "null | | neither a number nor a dictionary",
                "\"1\" | | neither a number nor a dictionary",
                "[1] | | neither a number nor a dictionary",
                "{\"score\": 0.5, \"pred\": \"x\"} | 0.5 |",
                "{\"acc\": 1} | | the numbers acc and no score",
                "{\"score\": \"1\"} | | and no score",
                "<html> | | the reply is not a JsonNode",
            })
    void aReplyIsAFiniteNumberOrAReasonWhyNot(String reply, Double reward, String reason) {
        // Given
        service.answers(200, reply);
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score.reward()).isEqualTo(reward);
        if (reason == null) {
            assertThat(score.unscored()).isNull();
        } else {
            assertThat(score.unscored()).contains(reason);
        }
        assertThat(service.bodies).hasSize(1);
    }

    @Test
    void theKeyPicksOneNumberOfADictionary() {
        // Given
        service.answers(200, "{\"score\": 0.5, \"acc\": true}");
        // When
        Score score = score("acc", false, 1).getFirst();
        // Then
        assertThat(score).isEqualTo(Score.of(1));
    }

    @ParameterizedTest
    @CsvSource({"500", "503", "429"})
    void aServiceThatIsBusyIsAskedAgain(int status) {
        // Given
        service.answers(status, "busy").answers(status, "busy").answers(200, "1");
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score).isEqualTo(Score.of(1));
        assertThat(service.bodies).hasSize(3);
    }

    @Test
    void aRequestThatTheServiceRefusesIsNotSentAgain() {
        // Given
        service.answers(422, "no such field");
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score.unscored()).contains("status 422: no such field");
        assertThat(service.bodies).hasSize(1);
    }

    @Test
    void aServiceThatHangsCostsItsSamplesTheirRewardsAndNoMoreThanItsTime() {
        // Given
        service.hangs();
        long start = System.nanoTime();
        // When
        List<Score> scores = score(null, false, 32);
        // Then
        assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(5));
        assertThat(scores)
                .hasSize(32)
                .allSatisfy(score -> assertThat(score.unscored()).startsWith("reward remote: "));
    }

    @Test
    void aServiceThatDiesIsAskedUntilItsTimeIsOver() {
        // Given
        service.dies();
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score.unscored()).contains("/reward: ");
        assertThat(service.bodies).hasSizeGreaterThan(2);
    }

    @Test
    void aReplyOfAHundredMegabytesIsBrokenOff() {
        // Given
        service.floods();
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score.unscored()).contains("longer than the limit of 1048576 bytes");
        assertThat(service.bodies).hasSize(1);
    }

    @Test
    void aGroupIsSentInOneCallAndAnsweredByAList() throws IOException {
        // Given
        service.answers(200, "[0.5, {\"score\": 1}, \"x\"]");
        // When
        List<Score> scores = score(null, true, 3);
        // Then
        assertThat(service.bodies).hasSize(1);
        assertThat(Json.MAPPER.readTree(service.bodies.getFirst()).get("samples"))
                .hasSize(3);
        assertThat(scores.get(0)).isEqualTo(Score.of(0.5));
        assertThat(scores.get(1)).isEqualTo(Score.of(1));
        assertThat(scores.get(2).unscored()).contains("neither a number nor a dictionary");
    }

    @Test
    void aListOfAnotherLengthScoresNobody() {
        // Given
        service.answers(200, "[1, 1]");
        // When
        List<Score> scores = score(null, true, 3);
        // Then
        assertThat(scores)
                .hasSize(3)
                .allSatisfy(score -> assertThat(score.unscored()).contains("3 responses were sent and 2 rewards came"));
    }

    @Test
    void anAddressThatIsNotAllowedIsNotCalled() {
        // Given
        service.answers(200, "1");
        rewards = new Rewards(List.of("http://127.0.0.1:1/"), 64, new OwnRewards(List.of()));
        // When
        Score score = score(null, false, 1).getFirst();
        // Then
        assertThat(score.unscored()).contains("is not covered by this instance's sluice.rollout.reward-urls");
        assertThat(service.bodies).isEmpty();
    }

    private List<Score> score(String key, boolean group, int samples) {
        List<Response> responses = java.util.stream.IntStream.range(0, samples)
                .mapToObj(i -> new Response("1+1=", "r" + i, "2", MissingNode.getInstance()))
                .toList();
        return rewards.score(new RewardAsk(remote(key, group), "1+1=", responses, Duration.ofSeconds(60)));
    }

    private Reward remote(String key, boolean group) {
        return new Reward("remote", key, service.url(), 2, group, List.of());
    }
}
