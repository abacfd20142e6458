package dev.sluice.domain.training;

import dev.sluice.events.Event;
import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupAbandoned;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.UInt8Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Results of groups as tests need them. */
final class Groups {
    static final String RUN = "run";

    private Groups() {}

    static LogEntry<Event> at(long offset, Event event) {
        return new LogEntry<>(event, "id-" + offset, 3, offset);
    }

    /** A group whose samples have one token each and the rewards that are given. */
    static GroupSampled sampled(long cursor, int round, int version, double... rewards) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < rewards.length; i++) {
            samples.add(sample(i, new int[] {10 + i}, version, rewards[i], FinishReason.STOP));
        }
        return group(cursor, round, samples);
    }

    /** A group whose samples have one token of each version, oldest first, and the rewards that are given. */
    static GroupSampled spanned(long cursor, int round, int[] versions, double... rewards) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < rewards.length; i++) {
            Sample whole = sample(i, new int[versions.length], 0, rewards[i], FinishReason.STOP);
            samples.add(spanned(
                    whole,
                    Arrays.stream(versions)
                            .mapToObj(version -> new VersionSpan(version, 1))
                            .toList()));
        }
        return group(cursor, round, samples);
    }

    private static Sample spanned(Sample sample, List<VersionSpan> versions) {
        return new Sample(
                sample.index(),
                sample.tokens(),
                sample.logprobs(),
                sample.lossMask(),
                sample.reward(),
                null,
                sample.finishReason(),
                versions,
                sample.engineId(),
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }

    static GroupSampled group(long cursor, int round, List<Sample> samples) {
        return new GroupSampled(
                RUN, 1, RUN + "/" + cursor, cursor, round, 0, "rollout-1", Int32Array.of(1, 2), samples, 0, 0.1, null);
    }

    static GroupAbandoned abandoned(long cursor, int round) {
        return new GroupAbandoned(RUN, 1, RUN + "/" + cursor, cursor, round, 0, "rollout-1", "no engine", 0);
    }

    static Sample sample(int index, int[] tokens, int version, @Nullable Double reward, FinishReason reason) {
        float[] logprobs = new float[tokens.length];
        Arrays.fill(logprobs, -0.5f);
        byte[] mask = new byte[tokens.length];
        Arrays.fill(mask, (byte) 1);
        return new Sample(
                index,
                Int32Array.of(tokens),
                Float32Array.of(logprobs),
                UInt8Array.of(mask),
                reward,
                reward == null ? "the reward failed" : null,
                reason,
                List.of(new VersionSpan(version, tokens.length)),
                "engine-1",
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }
}
