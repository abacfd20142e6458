package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupEvent;
import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupEvent.VersionSpan;
import dev.sluice.rollout.sampling.SampleOutcome.Aborted;
import dev.sluice.rollout.sampling.SampleOutcome.Accepted;
import dev.sluice.rollout.sampling.SampleOutcome.Refused;
import dev.sluice.rollout.sampling.SampleOutcome.TurnEnded;
import dev.sluice.sglang.FinishReason;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.Meta;
import dev.sluice.sglang.Speculation;
import dev.sluice.sglang.StreamedSamples;
import dev.sluice.sglang.StreamedSamples.Labelled;
import dev.sluice.sglang.TokenLogprob;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Turns an engine's reply into a sample, or says why it is none. Engines have lost log-probabilities under speculation and
 * answered with other weights than their label said, so nothing is taken on trust.
 */
final class ReplyCheck {
    /**
     * Who samples, with which weights, and how much was asked.
     *
     * @param version weights that the engine held when it was sent the request
     * @param newest weights that it has been told to load since, where the request goes on across that; else the same
     * @param maxTokens of the whole response
     * @param begun what the response began with in earlier calls
     * @param maskOlder whether tokens of older versions than the last may not be trained on
     * @param turns whether an environment answers what the model ends
     */
    record Expected(
            String engineId,
            int version,
            int newest,
            int maxTokens,
            PartialSample begun,
            boolean maskOlder,
            boolean turns) {
        int maxNewTokens() {
            return maxTokens - begun.tokens().length;
        }
    }

    private ReplyCheck() {}

    /** Of a reply that came whole: one version samples all of it. */
    static SampleOutcome check(int index, GenerateResponse reply, Expected expected) {
        int tokens = reply.outputIds().length;
        var label = new Labelled(String.valueOf(reply.meta().weightVersion()), tokens, tokens);
        return check(index, new StreamedSamples.Sample(reply, List.of(label)), expected);
    }

    /** Of a reply that was read while it grew, to its end. */
    static SampleOutcome check(int index, StreamedSamples.Sample streamed, Expected expected) {
        GenerateResponse reply = streamed.response();
        int[] tokens = reply.outputIds();
        Meta meta = reply.meta();
        if (meta.finishReason() == null) {
            return new Refused(index, tokens.length, "the reply does not say why it ended");
        }
        boolean interrupted = meta.finishReason() instanceof FinishReason.Abort;
        if (meta.finishReason() instanceof FinishReason.Abort abort && abort.statusCode() != null) {
            return new Refused(index, tokens.length, "the engine refused it: " + abort.message());
        }
        if (interrupted && tokens.length == 0) {
            return new Aborted(index, expected.begun(), 0);
        }
        PartialSample whole;
        try {
            whole = expected.begun().then(generated(streamed, expected));
        } catch (IllegalArgumentException e) {
            return interrupted
                    ? new Aborted(index, expected.begun(), tokens.length)
                    : new Refused(index, tokens.length, String.valueOf(e.getMessage()));
        }
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

    /** Of a reply whose end will never come: what there is of it can be gone on with. */
    static Aborted broken(int index, StreamedSamples.Sample streamed, Expected expected) {
        int tokens = streamed.response().outputIds().length;
        if (tokens == 0 || tokens >= expected.maxNewTokens()) {
            return new Aborted(index, expected.begun(), tokens);
        }
        try {
            return new Aborted(index, expected.begun().then(generated(streamed, expected)), 0);
        } catch (IllegalArgumentException e) {
            return new Aborted(index, expected.begun(), tokens);
        }
    }

    private static @Nullable String objection(int[] tokens, Meta meta, Expected expected) {
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

    private static PartialSample generated(StreamedSamples.Sample streamed, Expected expected) {
        int[] tokens = streamed.response().outputIds();
        Meta meta = streamed.response().meta();
        List<VersionSpan> versions = versions(streamed, expected);
        String objection = objection(tokens, meta, expected);
        if (objection != null) {
            throw new IllegalArgumentException(objection);
        }
        List<TokenLogprob> entries = meta.outputTokenLogprobs();
        float[] logprobs = new float[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            logprobs[i] = entries.get(i).logprob().floatValue();
        }
        Speculation drafts = meta.speculation();
        return PartialSample.generated(
                tokens,
                logprobs,
                versions,
                drafts == null
                        ? PartialSample.Drafts.NONE
                        : new PartialSample.Drafts(
                                drafts.verifyCount(), drafts.acceptedDrafts(), drafts.proposedDrafts()));
    }

    private static List<VersionSpan> versions(StreamedSamples.Sample streamed, Expected expected) {
        try {
            return TokenVersions.of(streamed.labels(), expected.version(), expected.newest());
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("engine %s was %s".formatted(expected.engineId(), e.getMessage()), e);
        }
    }

    /** A sample that could not be had; it costs its group nothing but itself. */
    static Sample failed(int index, String engineId, String reason) {
        return PartialSample.NOTHING.sample(index, GroupEvent.FinishReason.FAILED, engineId, reason, false);
    }
}
