package dev.sluice.domain.reward;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import org.junit.jupiter.api.Test;

class RewardTest {
    @Test
    void exactIgnoresWhitespaceAroundResponseAndLabel() {
        // Given
        Reward exact = Reward.named("exact").orElseThrow();
        // When
        RewardValue score = exact.score(Response.of(" 42\n", "42 "));
        // Then
        assertThat(score).isEqualTo(RewardValue.of(1));
    }

    @Test
    void exactDoesNotForgiveWhitespaceInside() {
        // Given
        Reward exact = new ExactMatch();
        // When
        RewardValue score = exact.score(Response.of("4 2", "42"));
        // Then
        assertThat(score).isEqualTo(RewardValue.of(0));
    }

    @Test
    void anUnknownNameHasNoReward() {
        // When
        var reward = Reward.named("exakt");
        // Then
        assertThat(reward).isEmpty();
        assertThat(Reward.named("boxed_exakt")).isEmpty();
        assertThat(Reward.names())
                .containsExactly("exact", "math", "deepscaler", "dapo", "f1", "gpqa", "random", "zero");
    }

    @Test
    void randomTossesACoinWhateverWasSaid() {
        // When
        var scores = java.util.stream.IntStream.range(0, 1000)
                .mapToObj(toss -> new Coin().score(Response.of("42", "42")))
                .collect(
                        java.util.stream.Collectors.groupingBy(score -> score, java.util.stream.Collectors.counting()));
        // Then
        // Fewer than 350 or more than 650 of 1000 even tosses have a chance below 1e-20.
        assertThat(scores).containsOnlyKeys(RewardValue.of(0), RewardValue.of(1));
        assertThat(scores.get(RewardValue.of(1))).isBetween(350L, 650L);
    }

    @Test
    void ifbenchIsAskedForAtAnAddressBecauseAPythonPackageComputesIt() {
        assertThat(RewardType.of("ifbench")).isEqualTo(new RewardType.Hosted("ifbench"));
        assertThat(new RewardType.Hosted("ifbench").help())
                .contains("sluice-hooks --reward sluice_hooks.ifbench.reward");
    }

    @Test
    void aBoxedRewardSeesOnlyTheLastBox() {
        // Given
        Reward boxed = Reward.named("boxed_exact").orElseThrow();
        // When
        RewardValue score = boxed.score(Response.of("first \\boxed{41}, then \\boxed{42}.", "42"));
        // Then
        assertThat(boxed.name()).isEqualTo("boxed_exact");
        assertThat(score).isEqualTo(RewardValue.of(1));
    }

    @Test
    void dapoGivesADictionaryOfWhichAKeyPicksOneNumber() {
        // When
        RewardValue value = new Dapo().score(Response.of("Answer: 41", "42"));
        // Then
        assertThat(value).isEqualTo(new RewardValue.Dictionary(Map.of("score", -1.0, "acc", 0.0)));
        assertThat(value.at(null)).isEqualTo(RewardValue.of(-1));
        assertThat(value.at("acc")).isEqualTo(RewardValue.of(0));
        assertThat(value.at("pred"))
                .isEqualTo(new RewardValue.Unscored(
                        "the reward has the numbers acc, score and no pred; set reward.key to one of them"));
    }

    @Test
    void dapoDoesNotScoreAgainstALabelThatIsNoNumber() {
        // When
        RewardValue value = new Dapo().score(Response.of("Answer: x", "x"));
        // Then
        assertThat(value).isInstanceOf(RewardValue.Unscored.class);
    }

    @Test
    void aKeyOfAPlainNumberIsAMistake() {
        // When
        RewardValue value = RewardValue.of(0.5).at("score");
        // Then
        assertThat(value)
                .isEqualTo(new RewardValue.Unscored(
                        "the reward is the number 0.5, which has no key score; leave reward.key out"));
    }

    @Test
    void whatIsNotFiniteIsNoScore() {
        // Then
        assertThat(RewardValue.of(Double.NaN)).isInstanceOf(RewardValue.Unscored.class);
        assertThat(RewardValue.of(Double.NEGATIVE_INFINITY)).isInstanceOf(RewardValue.Unscored.class);
    }
}
