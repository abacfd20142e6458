package dev.sluice.rollout.sampling;

import dev.sluice.events.Float32Array;
import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.events.Int32Array;
import dev.sluice.events.UInt8Array;
import dev.sluice.rollout.sampling.SampleOutcome.Aborted;
import dev.sluice.rollout.sampling.SampleOutcome.Accepted;
import dev.sluice.rollout.sampling.SampleOutcome.Refused;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.TokenLogprob;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns an engine's reply into a sample, or says why it is none. Engines have lost log-probabilities under speculation and
 * answered with other weights than their label said, so nothing is taken on trust.
 */
final class ReplyCheck {
    private static final String LABEL_OF_SOURCE = "default";

    /** Who sampled, with which weights, and how much was asked. */
    record Expected(String engineId, int version, int maxTokens) {}

    private ReplyCheck() {}

    static SampleOutcome check(int index, GenerateResponse reply, Expected expected) {
        int[] tokens = reply.outputIds();
        Meta meta = reply.meta();
        if (meta.finishReason() instanceof FinishReason.Abort abort) {
            return abort.statusCode() == null
                    ? new Aborted(index, tokens.length)
                    : new Refused(index, tokens.length, "the engine refused it: " + abort.message());
        }
        String objection = objection(tokens, meta, expected);
        return objection == null
                ? new Accepted(sample(index, tokens, meta, expected))
                : new Refused(index, tokens.length, objection);
    }

    private static @Nullable String objection(int[] tokens, Meta meta, Expected expected) {
        if (meta.finishReason() == null) {
            return "the reply does not say why it ended";
        }
        if (!holds(meta.weightVersion(), expected.version())) {
            return "engine %s was sent it with weight version %d and answered with '%s'"
                    .formatted(expected.engineId(), expected.version(), meta.weightVersion());
        }
        if (tokens.length == 0 || tokens.length != meta.completionTokens() || tokens.length > expected.maxTokens()) {
            return "%d tokens came, meta_info says %d, at most %d were asked for"
                    .formatted(tokens.length, meta.completionTokens(), expected.maxTokens());
        }
        List<TokenLogprob> logprobs = meta.outputTokenLogprobs();
        if (logprobs == null || logprobs.size() != tokens.length) {
            return "%d tokens came with %d log-probabilities"
                    .formatted(tokens.length, logprobs == null ? 0 : logprobs.size());
        }
        for (int i = 0; i < tokens.length; i++) {
            TokenLogprob entry = logprobs.get(i);
            if (entry.tokenId() != tokens[i] || entry.logprob() == null) {
                return "token %d is %d, its log-probability %s of token %d"
                        .formatted(i, tokens[i], entry.logprob(), entry.tokenId());
            }
        }
        return null;
    }

    /** Engines call the weights they start with "default". */
    private static boolean holds(@Nullable String label, int version) {
        return Integer.toString(version).equals(label) || version == 0 && LABEL_OF_SOURCE.equals(label);
    }

    private static Sample sample(int index, int[] tokens, Meta meta, Expected expected) {
        List<TokenLogprob> entries = meta.outputTokenLogprobs();
        float[] logprobs = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            logprobs[i] = entries.get(i).logprob().floatValue();
        }
        byte[] lossMask = new byte[tokens.length];
        Arrays.fill(lossMask, (byte) 1);
        Speculation drafts = meta.speculation();
        return new Sample(
                index,
                Int32Array.of(tokens),
                Float32Array.of(logprobs),
                UInt8Array.of(lossMask),
                null,
                null,
                meta.finishReason() instanceof FinishReason.Length
                        ? GroupEvent.FinishReason.LENGTH
                        : GroupEvent.FinishReason.STOP,
                // Exact: dispatch and update of an engine are serialised.
                List.of(new VersionSpan(expected.version(), tokens.length)),
                expected.engineId(),
                drafts == null ? 0 : drafts.verifyCount(),
                drafts == null ? 0 : drafts.acceptedDrafts(),
                drafts == null ? 0 : drafts.proposedDrafts(),
                null,
                null,
                null,
                null);
    }

    /** A sample that could not be had; it costs its group nothing but itself. */
    static Sample failed(int index, String engineId, String reason) {
        return new Sample(
                index,
                Int32Array.EMPTY,
                Float32Array.EMPTY,
                UInt8Array.EMPTY,
                null,
                reason,
                GroupEvent.FinishReason.FAILED,
                List.of(),
                engineId,
                0,
                0,
                0,
                null,
                null,
                null,
                null);
    }
}
