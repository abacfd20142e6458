package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RankLoadsTest {
    @Test
    void everyGroupGoesToTheRankWithTheFewestSamples() {
        RankLoads ranks = new RankLoads(3);
        ranks.add(ranks.choose(true, null, 4, 24), 8);
        ranks.add(ranks.choose(true, null, 4, 24), 4);
        ranks.add(ranks.choose(true, null, 4, 24), 4);

        assertThat(ranks.choose(true, null, 4, 24)).isEqualTo(1);

        ranks.add(0, -8);
        assertThat(ranks.choose(true, null, 4, 24)).isZero();
    }

    @Test
    void aConversationKeepsToItsRankWhileThatHasRoom() {
        RankLoads ranks = new RankLoads(2);
        ranks.add(1, 3);

        assertThat(ranks.choose(true, 1, 1, 8)).isEqualTo(1);
        assertThat(ranks.choose(true, 1, 2, 8)).as("its half of 8 is full").isZero();
        assertThat(ranks.choose(true, null, 1, 8)).isZero();
    }

    @Test
    void anEngineOfOneRankOrOfOthersChoosesItself() {
        assertThat(new RankLoads(1).choose(true, null, 1, 8)).isNull();
        assertThat(new RankLoads(8).choose(false, 3, 1, 8)).isNull();
    }
}
