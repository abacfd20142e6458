package dev.sluice.planner;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Ids of the newest requests that stand answered in the log: the topic may deliver a request twice. */
final class AnsweredRequests {
    /** Only what was not committed is delivered again, which is one record; the rest is slack. */
    private static final int KEPT = 10_000;

    private final Set<UUID> ids = new LinkedHashSet<>();

    void add(@Nullable UUID id) {
        if (id != null && ids.add(id) && ids.size() > KEPT) {
            ids.remove(ids.iterator().next());
        }
    }

    boolean contains(@Nullable UUID id) {
        return id != null && ids.contains(id);
    }
}
