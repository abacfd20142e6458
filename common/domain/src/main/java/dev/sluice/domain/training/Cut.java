package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.CheckpointSaved;
import java.util.List;

/**
 * What a cut says about groups: enough to go on with nothing but the cut's files and the logs from its offsets.
 *
 * @param step steps trained into it
 * @param cursorNext first cursor not asked for yet
 * @param closedBelow every cursor below is used up
 * @param closedAbove cursors above that are used up too
 * @param groupsOffset offset of the oldest result that no batch has used or dropped
 * @param trainingOffset offset of the oldest record of the training log that still says something about an open group
 */
public record Cut(
        int step,
        int weightVersion,
        long cursorNext,
        long closedBelow,
        List<Long> closedAbove,
        long groupsOffset,
        long trainingOffset) {

    /** Before the first step: everything is in the logs. */
    public static final Cut START = new Cut(0, 0, 0, 0, List.of(), 0, 0);

    public Cut {
        closedAbove = List.copyOf(closedAbove);
    }

    /**
     * The same point as the beginning of another run, whose logs hold nothing yet.
     *
     * @param stepsPerVersion steps between publications, by which versions are counted on
     * @param closed cursors that are used up
     */
    static Cut beginning(CheckpointSaved earlier, int stepsPerVersion, ClosedCursors closed) {
        return new Cut(
                earlier.step(),
                earlier.step() / stepsPerVersion,
                earlier.cursorNext(),
                closed.below(),
                closed.above(),
                0,
                0);
    }

    public static Cut of(CheckpointSaved saved) {
        return new Cut(
                saved.step(),
                saved.weightVersion(),
                saved.cursorNext(),
                saved.closedBelow(),
                saved.closedAbove(),
                saved.groupsOffset(),
                saved.trainingOffset());
    }
}
