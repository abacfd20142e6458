package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;

/** The first terminal record of a (group, round): what became of it. */
sealed interface GroupResult {

    LogEntry<? extends GroupEvent> entry();

    /** Tokens that its samples hold. */
    int tokens();

    record Sampled(LogEntry<GroupSampled> entry) implements GroupResult {
        @Override
        public int tokens() {
            return entry.event().samples().stream()
                    .mapToInt(sample -> sample.tokens().length())
                    .sum();
        }

        /** The oldest weight version that sampled one of its tokens. */
        int oldestVersion() {
            return entry.event().samples().stream()
                    .mapToInt(GroupEvent.Sample::oldestVersion)
                    .min()
                    .orElse(0);
        }
    }

    record Abandoned(LogEntry<GroupAbandoned> entry) implements GroupResult {
        @Override
        public int tokens() {
            return 0;
        }
    }
}
