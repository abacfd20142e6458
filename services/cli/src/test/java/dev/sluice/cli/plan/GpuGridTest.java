package dev.sluice.cli.plan;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class GpuGridTest {
    private static final List<GridRow> ATTENTION =
            List.of(GridRow.of("attention", "DP", 4, gpu -> gpu / 2), GridRow.of("attention", "TP", 4, gpu -> gpu % 2));

    @Test
    void neighboursOfAGroupShareACellAndARuleJoinsTheWalls() {
        GridRow experts = GridRow.of("experts", "EP", 4, gpu -> gpu);
        GridRow engine = GridRow.of("rollout", "", 4, gpu -> 0, number -> "engine " + number);

        assertThat(lines(80, List.of(List.of(engine), ATTENTION, List.of(experts))))
                .isEqualTo("""
                GPU               0         1         2         3
                             ┌───────────────────────────────────────┐
                rollout      │               engine 0                │
                             ├───────────────────┬───────────────────┤
                attention DP │         0         │         1         │
                          TP │    0    │    1    │    0    │    1    │
                             ├─────────┼─────────┼─────────┼─────────┤
                experts   EP │    0    │    1    │    2    │    3    │
                             └─────────┴─────────┴─────────┴─────────┘""");
    }

    @Test
    void wordsGiveWayToNumbersWhereTheyDoNotFit() {
        GridRow stage = GridRow.of("training", "PP", 2, gpu -> gpu, number -> "stage %d: layers".formatted(number));

        assertThat(lines(80, List.of(List.of(stage)))).contains("│    0    │    1    │");
    }

    @Test
    void aGpuWithoutAPartIsEmpty() {
        GridRow row = GridRow.of("rollout", "TP", 4, gpu -> gpu < 2 ? gpu : GridRow.NONE);

        assertThat(lines(80, List.of(List.of(row)))).isEqualTo("""
                GPU             0         1         2         3
                           ┌─────────┬─────────┬───────────────────┐
                rollout TP │    0    │    1    │                   │
                           └─────────┴─────────┴───────────────────┘""");
    }

    @Test
    void gpusThatDoNotFitSideBySideStandInAFurtherBox() {
        assertThat(lines(24, List.of(ATTENTION))).isEqualTo("""
                GPU            0    1
                             ┌─────────┐
                attention DP │    0    │
                          TP │ 0  │ 1  │
                             └────┴────┘
                GPU            2    3
                             ┌─────────┐
                attention DP │    1    │
                          TP │ 0  │ 1  │
                             └────┴────┘""");
    }

    private static String lines(int columns, List<List<GridRow>> bands) {
        int gpus = bands.getFirst().getFirst().values().size();
        return new GpuGrid(bands, 0, gpus, 0)
                .lines(columns).stream()
                        .map(String::stripTrailing)
                        .reduce((a, b) -> a + "\n" + b)
                        .orElse("");
    }
}
