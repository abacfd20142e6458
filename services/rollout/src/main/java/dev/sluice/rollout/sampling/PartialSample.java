package dev.sluice.rollout.sampling;

import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.UInt8Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The beginning of a response whose end is still to be sampled, perhaps by other weights on another engine.
 *
 * @param tokens so far; never empty
 * @param logprobs one a token, under the version that sampled it; 0 where the environment said it
 * @param mask one a token: 1 where the model generated it, 0 where the environment said it
 * @param versions oldest first; together as long as the tokens. What the environment said counts to the turn before it
 * @param drafts of speculative decoding so far
 */
@SuppressWarnings("ArrayRecordComponent")
public record PartialSample(int[] tokens, float[] logprobs, byte[] mask, List<VersionSpan> versions, Drafts drafts) {
    /** Verification steps, and draft tokens accepted and proposed. */
    public record Drafts(int verifies, int accepted, int proposed) {
        static final Drafts NONE = new Drafts(0, 0, 0);

        Drafts plus(Drafts other) {
            return new Drafts(verifies + other.verifies, accepted + other.accepted, proposed + other.proposed);
        }
    }

    /** What was generated before this response began: nothing. */
    public static final PartialSample NOTHING =
            new PartialSample(new int[0], new float[0], new byte[0], List.of(), Drafts.NONE);

    public PartialSample {
        versions = List.copyOf(versions);
        int spanned = versions.stream().mapToInt(VersionSpan::tokens).sum();
        if (tokens.length != logprobs.length || tokens.length != mask.length || spanned != tokens.length) {
            throw new IllegalArgumentException(
                    "%d tokens with %d log-probabilities, %d mask entries and version spans %s"
                            .formatted(tokens.length, logprobs.length, mask.length, versions));
        }
    }

    /** What the model generated in one call. */
    static PartialSample generated(int[] tokens, float[] logprobs, List<VersionSpan> versions, Drafts drafts) {
        byte[] mask = new byte[tokens.length];
        Arrays.fill(mask, (byte) 1);
        return new PartialSample(tokens, logprobs, mask, versions, drafts);
    }

    /** A sample that another instance has parked. */
    public static PartialSample of(Sample parked) {
        return new PartialSample(
                parked.tokens().toArray(),
                parked.logprobs().toArray(),
                parked.lossMask().toArray(),
                parked.versions(),
                new Drafts(parked.verifies(), parked.acceptedDrafts(), parked.proposedDrafts()));
    }

    /** This beginning and what came after it; neighbouring spans of one version are one. */
    PartialSample then(PartialSample next) {
        int[] all = Arrays.copyOf(tokens, tokens.length + next.tokens.length);
        System.arraycopy(next.tokens, 0, all, tokens.length, next.tokens.length);
        float[] allLogprobs = Arrays.copyOf(logprobs, all.length);
        System.arraycopy(next.logprobs, 0, allLogprobs, logprobs.length, next.logprobs.length);
        byte[] allMask = Arrays.copyOf(mask, all.length);
        System.arraycopy(next.mask, 0, allMask, mask.length, next.mask.length);
        List<VersionSpan> spans = new ArrayList<>(versions);
        for (VersionSpan span : next.versions) {
            if (!spans.isEmpty() && spans.getLast().version() == span.version()) {
                VersionSpan last = spans.removeLast();
                spans.add(new VersionSpan(span.version(), last.tokens() + span.tokens()));
            } else {
                spans.add(span);
            }
        }
        return new PartialSample(all, allLogprobs, allMask, spans, drafts.plus(next.drafts));
    }

    /** This beginning, a turn of the model, and what the environment said to it. */
    PartialSample thenSaid(int[] said) {
        int version = versions.getLast().version();
        return then(new PartialSample(
                said,
                new float[said.length],
                new byte[said.length],
                List.of(new VersionSpan(version, said.length)),
                Drafts.NONE));
    }

    /** Where the newest turn of the model begins. */
    int turnStart() {
        int start = tokens.length;
        while (start > 0 && mask[start - 1] != 0) {
            start--;
        }
        return start;
    }

    /** Turns of the model, the newest included; 0 where nothing was generated. */
    int turns() {
        return (int) IntStream.range(0, mask.length)
                .filter(i -> mask[i] != 0 && (i == 0 || mask[i - 1] == 0))
                .count();
    }

    /**
     * As a sample of the log.
     *
     * @param unscored why it will have no reward; null where it may have one later
     * @param maskOlder whether only the tokens of the newest version may be trained on
     */
    Sample sample(int index, FinishReason reason, String engineId, @Nullable String unscored, boolean maskOlder) {
        byte[] lossMask = mask.clone();
        if (maskOlder && !versions.isEmpty()) {
            Arrays.fill(lossMask, 0, tokens.length - versions.getLast().tokens(), (byte) 0);
        }
        return new Sample(
                index,
                Int32Array.of(tokens),
                Float32Array.of(logprobs),
                UInt8Array.of(lossMask),
                null,
                unscored,
                reason,
                versions,
                engineId,
                drafts.verifies(),
                drafts.accepted(),
                drafts.proposed(),
                null,
                null,
                null,
                null);
    }

    /** As it is given back for somebody else to go on with. */
    public Sample parked(int index, String engineId) {
        return sample(index, FinishReason.PARKED, engineId, "it is not finished", false);
    }
}
