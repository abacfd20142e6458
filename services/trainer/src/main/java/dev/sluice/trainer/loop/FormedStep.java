package dev.sluice.trainer.loop;

import dev.sluice.domain.training.BatchRows;
import dev.sluice.domain.training.BatchRules;
import dev.sluice.domain.training.LogEntry;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.TrainingEvent.BatchFormed;
import java.util.List;
import java.util.UUID;

/**
 * A step that is formed, with what it trains on.
 *
 * @param id of the event
 * @param results in the step's order
 */
record FormedStep(BatchFormed event, UUID id, List<GroupSampled> results, BatchRows rows) {

    /**
     * A step as the log has it.
     *
     * @throws IllegalStateException if these results make another batch than the one that was trained on
     */
    static FormedStep fromLog(LogEntry<BatchFormed> entry, List<GroupSampled> results, BatchRules rules) {
        BatchFormed event = entry.event();
        BatchRows rows = BatchRows.of(results, rules);
        if (!rows.sha256().equals(event.sha256())) {
            throw new IllegalStateException(
                    "the batch of step %d made from the log has the content %s, the log says %s; was it formed by another version of this program?"
                            .formatted(event.step(), rows.sha256(), event.sha256()));
        }
        return new FormedStep(event, UUID.fromString(entry.id()), results, rows);
    }
}
