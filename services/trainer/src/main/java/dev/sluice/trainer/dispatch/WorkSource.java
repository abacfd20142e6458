package dev.sluice.trainer.dispatch;

import dev.sluice.events.GroupEvent;
import java.util.List;
import java.util.Map;

/** Work beside training, such as an evaluation. */
public interface WorkSource {
    /** The only weight version that may do it. */
    int version();

    /**
     * What has no result yet.
     *
     * @param results first terminal records of groups outside the prompt sequence
     */
    List<Work> wanted(Map<Work.Key, GroupEvent> results);

    /** Whether only engines that keep its version may do it, while others go on to newer ones. */
    default boolean needsItsVersion() {
        return true;
    }
}
