package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.GroupDrop;
import dev.sluice.events.TrainingEvent.GroupUse;
import java.util.List;

/**
 * The groups of the next step, and those that are used up on the way without training.
 *
 * @param step the step; for a draft that only closes groups, the last step formed
 * @param groups in training order; empty when groups are only closed
 * @param dropped rounds that are not trained on, with reasons
 * @param cursorNext first cursor not asked for yet
 * @param weightVersion the version current now
 */
public record BatchDraft(int step, List<GroupUse> groups, List<GroupDrop> dropped, long cursorNext, int weightVersion) {
    public BatchDraft {
        groups = List.copyOf(groups);
        dropped = List.copyOf(dropped);
    }
}
