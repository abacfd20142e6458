package dev.sluice.rollout.task;

import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.GroupTask.GroupRequested;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The weight versions that may sample a task.
 *
 * @param exact the only one; null where {@code min} is the bound
 */
record VersionBound(int min, @Nullable Integer exact) {
    static VersionBound of(GroupRequested task) {
        return new VersionBound(task.minWeightVersion(), task.exactWeightVersion());
    }

    static VersionBound of(RoutedRequest request) {
        return new VersionBound(request.min() == null ? 0 : request.min(), request.exact());
    }

    boolean accepts(int version) {
        return exact == null ? version >= min : version == exact;
    }

    boolean acceptsAll(List<VersionSpan> spans) {
        return spans.stream().allMatch(span -> accepts(span.version()));
    }

    @Override
    public String toString() {
        return exact == null ? "weight version " + min + " or newer" : "exactly weight version " + exact;
    }
}
