package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.UInt8Array;

/** Masks the tokens of a group that weight versions before a given one have sampled. */
final class StaleMask {
    private StaleMask() {}

    /** The group with those tokens masked; the very same group where {@code trainedFrom} is 0. */
    static GroupSampled of(GroupSampled group, int trainedFrom) {
        return trainedFrom == 0
                ? group
                : group.withSamples(group.samples().stream()
                        .map(sample -> sample.withLossMask(UInt8Array.of(mask(sample, trainedFrom))))
                        .toList());
    }

    /** Whether a token with gradient is left. */
    static boolean leavesSome(GroupSampled group, int trainedFrom) {
        for (Sample sample : group.samples()) {
            for (byte token : mask(sample, trainedFrom)) {
                if (token != 0) {
                    return true;
                }
            }
        }
        return false;
    }

    private static byte[] mask(Sample sample, int trainedFrom) {
        byte[] mask = sample.lossMask().toArray();
        int token = 0;
        for (VersionSpan span : sample.versions()) {
            for (int end = token + span.tokens(); token < end; token++) {
                mask[token] = span.version() < trainedFrom ? 0 : mask[token];
            }
        }
        return mask;
    }
}
