package dev.sluice.rollout.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.rollout.engine.DraftJudge.Verdict;
import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class DraftJudgeTest {
    @Test
    void aFallIsTheEnginesFaultOnceAndTheWeightsAfterThat() {
        assertThat(verdicts(2.7, 2.6, 1.0, 1.0))
                .containsExactly(Verdict.PAYS, Verdict.PAYS, Verdict.FELL, Verdict.LOSES);
    }

    @Test
    void aFallByAThirdThatStillPaysIsFollowedByALowerExpectation() {
        assertThat(verdicts(2.7, 1.8, 1.8, 1.7))
                .containsExactly(Verdict.PAYS, Verdict.FELL, Verdict.PAYS, Verdict.PAYS);
    }

    @Test
    void draftsThatNeverPaidLoseAtOnce() {
        assertThat(verdicts(1.05)).containsExactly(Verdict.LOSES);
    }

    @Test
    void aSlowDriftIsNoFall() {
        assertThat(verdicts(2.7, 2.5, 2.3, 2.1, 1.9, 1.8)).containsOnly(Verdict.PAYS);
    }

    private static List<Verdict> verdicts(double... acceptLengths) {
        DraftJudge judge = new DraftJudge();
        return DoubleStream.of(acceptLengths).mapToObj(judge::judge).toList();
    }
}
