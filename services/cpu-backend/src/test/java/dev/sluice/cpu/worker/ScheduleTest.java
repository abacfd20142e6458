package dev.sluice.cpu.worker;

import static org.assertj.core.api.Assertions.assertThat;

import dev.sluice.workerapi.Batch;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ScheduleTest {
    @Test
    void samplesFollowOptimizerStepThenMicroBatchThenRank() {
        Batch batch = batch(4, new int[] {1, 0, 0, /**/ 0, 0, 1, /**/ 0, 1, 0, /**/ 0, 0, 0});

        List<List<Schedule.Slice>> schedule = Schedule.of(batch);

        assertThat(schedule).containsExactly(List.of(slice(3), slice(2), slice(1)), List.of(slice(0)));
    }

    @Test
    void aLargeMicroBatchIsCutAtTwoThousandTokens() {
        Batch batch = batch(1000, new int[9]);

        assertThat(Schedule.of(batch)).containsExactly(List.of(slice(0, 1), slice(2)));
    }

    private static Schedule.Slice slice(Integer... samples) {
        return new Schedule.Slice(List.of(samples));
    }

    private static Batch batch(int length, int[] schedule) {
        int samples = schedule.length / 3;
        int[] starts = new int[samples + 1];
        Arrays.setAll(starts, i -> i * length);
        int[] prompts = new int[samples];
        Arrays.fill(prompts, 1);
        float[] denominators = new float[samples];
        Arrays.fill(denominators, 1);
        int tokens = samples * length;
        return new Batch(
                new Batch.Header("r", 1, 0, 1, 1, 0, new Batch.LossNormaliser(Batch.LossNormaliser.Kind.SAMPLE, 1)),
                new int[tokens],
                starts,
                prompts,
                new long[samples],
                new int[samples],
                denominators,
                new byte[samples],
                new byte[tokens],
                new float[tokens],
                new float[tokens],
                new int[tokens],
                schedule,
                Map.of());
    }
}
