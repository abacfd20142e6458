package dev.sluice.cli.plan;

import dev.sluice.events.Plan.Stage;
import java.util.List;

/** Decoder layers of a pipeline stage, counted from 0. */
final class StageLayers {
    private StageLayers() {}

    /** {@code layers 24-46}. */
    static String of(List<Stage> stages, int stage) {
        int first = stages.subList(0, stage).stream().mapToInt(Stage::layers).sum();
        int last = first + stages.get(stage).layers() - 1;
        return switch (stages.get(stage).layers()) {
            case 0 -> "no layers";
            case 1 -> "layer " + first;
            default -> "layers %d-%d".formatted(first, last);
        };
    }
}
