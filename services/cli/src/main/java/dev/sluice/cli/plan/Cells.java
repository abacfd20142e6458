package dev.sluice.cli.plan;

import java.util.ArrayList;
import java.util.List;

/** A row of a box: runs of neighbouring GPUs with the same coordinate. */
final class Cells {
    /** Nothing is drawn here. */
    static final Cells NONE = new Cells(List.of());

    /** Neighbours that share a cell. */
    record Run(String text, String words, int gpus) {
        /** Characters between the walls; a wall that is not drawn gives its place. */
        int width(int cell) {
            return gpus * (cell + 1) - 1;
        }
    }

    private final List<Run> runs;

    private Cells(List<Run> runs) {
        this.runs = runs;
    }

    Cells(GridRow row, int first, int end) {
        runs = new ArrayList<>();
        for (int gpu = first; gpu < end; gpu++) {
            int value = row.values().get(gpu);
            boolean same = gpu > first && value == row.values().get(gpu - 1);
            int gpus = same ? runs.removeLast().gpus() + 1 : 1;
            runs.add(
                    value == GridRow.NONE
                            ? new Run("", "", gpus)
                            : new Run(Integer.toString(value), row.words().apply(value), gpus));
        }
    }

    List<Run> runs() {
        return runs;
    }

    /** Whether all cells have room for words. */
    boolean fit(int cell) {
        return runs.stream().allMatch(run -> run.words().length() + 2 <= run.width(cell));
    }

    /** Whether a wall stands on the left of this GPU of the box. */
    boolean wall(int gpu) {
        int start = 0;
        for (Run run : runs) {
            if (start == gpu) {
                return true;
            }
            start += run.gpus();
        }
        return start == gpu && !runs.isEmpty();
    }
}
