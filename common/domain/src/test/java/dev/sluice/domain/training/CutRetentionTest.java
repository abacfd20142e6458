package dev.sluice.domain.training;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class CutRetentionTest {
    @Test
    void theNewestStay() {
        assertThat(retired(new CutRetention(2, 0, 0, step -> false), Map.of(), 10, 20, 30, 40))
                .containsExactly(10, 20);
    }

    @Test
    void thoseOfEverySoManyStepsStayToo() {
        assertThat(retired(new CutRetention(1, 30, 0, step -> false), Map.of(), 10, 20, 30, 40, 50, 60, 70))
                .containsExactly(10, 20, 40, 50);
    }

    @Test
    void thoseWithTheBestEvaluationsStayToo() {
        Map<Integer, Double> scores = Map.of(10, 0.2, 20, 0.9, 30, 0.5, 40, 0.4);

        assertThat(retired(new CutRetention(1, 0, 2, step -> true), scores, 10, 20, 30, 40))
                .containsExactly(10);
    }

    @Test
    void ofEquallyGoodOnesTheNewerStays() {
        Map<Integer, Double> scores = Map.of(10, 1.0, 20, 1.0, 30, 0.5);

        assertThat(retired(new CutRetention(1, 0, 1, step -> true), scores, 10, 20, 30))
                .containsExactly(10);
    }

    @Test
    void aCutWhoseEvaluationIsStillGoingOnStays() {
        Map<Integer, Double> scores = Map.of(10, 0.5);

        assertThat(retired(new CutRetention(1, 0, 1, step -> step % 20 != 10 || step == 10), scores, 10, 20, 30, 40))
                .containsExactly(30);
    }

    @Test
    void aCutThatWasNeverEvaluatedIsNoneOfTheBest() {
        Map<Integer, Double> scores = Map.of(20, 0.1, 40, 0.2);

        assertThat(retired(new CutRetention(1, 0, 2, step -> step % 20 == 0), scores, 10, 20, 30, 40))
                .containsExactly(10, 30);
    }

    private static List<Integer> retired(CutRetention retention, Map<Integer, Double> scores, int... steps) {
        List<CheckpointSaved> cuts =
                IntStream.of(steps).mapToObj(CutRetentionTest::cut).toList();
        return retention.retired(cuts, scores).stream()
                .map(CheckpointSaved::step)
                .toList();
    }

    private static CheckpointSaved cut(int step) {
        return new CheckpointSaved("run", 1, step, step, step, "/cut-" + step, "", false, 0, 0, List.of(), 0, 0, "");
    }
}
