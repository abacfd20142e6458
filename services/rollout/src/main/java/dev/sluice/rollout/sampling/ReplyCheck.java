package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.rollout.sampling.SampleOutcome.Aborted;
import dev.sluice.rollout.sampling.SampleOutcome.Accepted;
import dev.sluice.rollout.sampling.SampleOutcome.Refused;
import dev.sluice.rollout.sampling.SampleOutcome.TurnEnded;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.TokenLogprob;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns an engine's reply into a sample, or says why it is none. Engines have lost log-probabilities under speculation and
 * answered with other weights than their label said, so nothing is taken on trust.
 */
final class ReplyCheck {
    private static final String LABEL_OF_SOURCE = "default";

    /**
     * Who samples, with which weights, and how much was asked.
     *
     * @param maxTokens of the whole response
     * @param begun what the response began with in earlier calls
     * @param maskOlder whether tokens of older versions than the last may not be trained on
     * @param turns whether an environment answers what the model ends
     */
    record Expected(
            String engineId, int version, int maxTokens, PartialSample begun, boolean maskOlder, boolean turns) {
        int maxNewTokens() {
            return maxTokens - begun.tokens().length;
        }
    }

    private ReplyCheck() {}

    static SampleOutcome check(int index, GenerateResponse reply, Expected expected) {
        int[] tokens = reply.outputIds();
        Meta meta = reply.meta();
        boolean interrupted = meta.finishReason() instanceof FinishReason.Abort;
        if (meta.finishReason() instanceof FinishReason.Abort abort && abort.statusCode() != null) {
            return new Refused(index, tokens.length, "the engine refused it: " + abort.message());
        }
        if (interrupted && tokens.length == 0) {
            return new Aborted(index, expected.begun(), 0);
        }
        String objection = objection(tokens, meta, expected);
        if (objection != null) {
            return interrupted
                    ? new Aborted(index, expected.begun(), tokens.length)
                    : new Refused(index, tokens.length, objection);
        }
        PartialSample whole = expected.begun().then(generated(tokens, meta, expected.version()));
        if (interrupted) {
            return new Aborted(index, whole, 0);
        }
        GroupEvent.FinishReason reason = meta.finishReason() instanceof FinishReason.Length
                ? GroupEvent.FinishReason.LENGTH
                : GroupEvent.FinishReason.STOP;
        if (expected.turns() && reason == GroupEvent.FinishReason.STOP) {
            return new TurnEnded(index, whole);
        }
        return new Accepted(whole.sample(index, reason, expected.engineId(), null, expected.maskOlder()));
    }

    private static @Nullable String objection(int[] tokens, Meta meta, Expected expected) {
        if (meta.finishReason() == null) {
            return "the reply does not say why it ended";
        }
        if (!holds(meta.weightVersion(), expected.version())) {
            return "engine %s was sent it with weight version %d and answered with '%s'"
                    .formatted(expected.engineId(), expected.version(), meta.weightVersion());
        }
        if (tokens.length == 0 || tokens.length != meta.completionTokens() || tokens.length > expected.maxNewTokens()) {
            return "%d tokens came, meta_info says %d, at most %d were asked for"
                    .formatted(tokens.length, meta.completionTokens(), expected.maxNewTokens());
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

    private static PartialSample generated(int[] tokens, Meta meta, int version) {
        List<TokenLogprob> entries = meta.outputTokenLogprobs();
        float[] logprobs = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            logprobs[i] = entries.get(i).logprob().floatValue();
        }
        Speculation drafts = meta.speculation();
        // One span is exact: dispatch and update of an engine are serialised.
        return PartialSample.generated(
                tokens,
                logprobs,
                version,
                drafts == null
                        ? PartialSample.Drafts.NONE
                        : new PartialSample.Drafts(
                                drafts.verifyCount(), drafts.acceptedDrafts(), drafts.proposedDrafts()));
    }

    /** A sample that could not be had; it costs its group nothing but itself. */
    static Sample failed(int index, String engineId, String reason) {
        return PartialSample.NOTHING.sample(index, GroupEvent.FinishReason.FAILED, engineId, reason, false);
    }
}
