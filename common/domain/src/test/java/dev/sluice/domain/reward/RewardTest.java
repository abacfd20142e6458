package dev.sluice.domain.reward;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RewardTest {
    @Test
    void exactIgnoresWhitespaceAroundResponseAndLabel() {
        // Given
        Reward exact = Reward.named("exact").orElseThrow();
        // When
        double score = exact.score(" 42\n", "42 ");
        // Then
        assertThat(score).isEqualTo(1);
    }

    @Test
    void exactDoesNotForgiveWhitespaceInside() {
        // Given
        Reward exact = new ExactMatch();
        // When
        double score = exact.score("4 2", "42");
        // Then
        assertThat(score).isZero();
    }

    @Test
    void anUnknownNameHasNoReward() {
        // When
        var reward = Reward.named("exakt");
        // Then
        assertThat(reward).isEmpty();
        assertThat(Reward.names()).containsExactly("exact");
    }
}
