package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.GroupDrop;
import java.util.List;

/** Where an open group stands, with the rounds of it that no record has dropped yet. */
sealed interface Standing {
    List<GroupDrop> drops();

    /** The round has no result. */
    record Wanted(int round, List<GroupDrop> drops) implements Standing {}

    /** The round's result can be trained on. */
    record Ready(int round, GroupResult.Sampled result, List<GroupDrop> drops) implements Standing {}

    /** The round's result could be trained on but a filter leaves it out, as long as a step has others. */
    record Rejected(Ready kept, GroupDrop drop, List<GroupDrop> drops) implements Standing {}

    /** No round is left, or a filter has left the group out. */
    record Exhausted(List<GroupDrop> drops) implements Standing {}
}
