package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RankLoadsTest {
    @Test
    void everyGroupGoesToTheRankWithTheFewestSamples() {
        RankLoads ranks = new RankLoads(3);
        ranks.add(ranks.fewest(true), 8);
        ranks.add(ranks.fewest(true), 4);
        ranks.add(ranks.fewest(true), 4);

        assertThat(ranks.fewest(true)).isEqualTo(1);

        ranks.add(0, -8);
        assertThat(ranks.fewest(true)).isZero();
    }

    @Test
    void anEngineOfOneRankOrOfOthersChoosesItself() {
        assertThat(new RankLoads(1).fewest(true)).isNull();
        assertThat(new RankLoads(8).fewest(false)).isNull();
    }
}
