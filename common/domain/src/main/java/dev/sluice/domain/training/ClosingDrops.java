package dev.sluice.domain.training;

import dev.sluice.events.TrainingEvent.DropReason;
import dev.sluice.events.TrainingEvent.GroupDrop;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What becomes of groups that are open when no step follows. */
final class ClosingDrops {
    /** An event holds 1 MiB. */
    private static final int MOST = 4000;

    private ClosingDrops() {}

    /** The lowest cursors' first; some are left for another event where there are thousands. */
    static List<GroupDrop> of(GroupBook groups, TrainingRules rules, int version) {
        List<GroupDrop> drops = new ArrayList<>();
        for (long cursor = 0; cursor < groups.cursorSeen() && drops.size() < MOST; cursor++) {
            if (!groups.isOpen(cursor)) {
                continue;
            }
            Standing standing = groups.standing(cursor, version);
            drops.addAll(standing.drops());
            switch (standing) {
                case Standing.Ready ready -> {
                    GroupResult result = ready.result();
                    drops.add(
                            surplus(rules, cursor, ready.round(), result.entry().id(), result.tokens()));
                }
                case Standing.Rejected rejected -> drops.add(rejected.drop());
                case Standing.Wanted wanted -> drops.add(surplus(rules, cursor, wanted.round(), null, 0));
                case Standing.Exhausted exhausted -> {}
            }
        }
        return drops;
    }

    private static GroupDrop surplus(
            TrainingRules rules, long cursor, int round, @Nullable String resultId, int tokens) {
        return new GroupDrop(rules.groupId(cursor), cursor, round, resultId, DropReason.SURPLUS, false, tokens);
    }
}
