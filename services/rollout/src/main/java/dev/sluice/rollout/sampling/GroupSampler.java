package dev.sluice.rollout.sampling;

import dev.sluice.events.GroupEvent.Sample;
import dev.sluice.events.GroupTask.GroupRequested;
import dev.sluice.events.GroupTask.Sampling;
import dev.sluice.rollout.engine.EngineApi;
import dev.sluice.sglang.GenerateRequest;
import dev.sluice.sglang.GenerateResponse;
import dev.sluice.sglang.SamplingParams;
import dev.sluice.text.Tokenizer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** Samples and scores groups of one run; blocks while an engine generates. */
public final class GroupSampler {
    private static final int ALL_TOKENS = -1;

    private final PromptTokens prompts;
    private final Scorer scorer;

    /** @param modelDirectory has the chat template, which is asked for with the first conversation */
    public GroupSampler(Tokenizer tokenizer, Path modelDirectory) {
        this.prompts = new PromptTokens(tokenizer, modelDirectory);
        this.scorer = new Scorer(tokenizer);
    }

    /**
     * One call: which samples of which task go where.
     *
     * @param indexes places in the group
     * @param ridPrefix begins the id of every request of this call and of no other
     * @param version weights that the engine holds
     */
    public record SamplingCall(
            GroupRequested task,
            List<Integer> indexes,
            String ridPrefix,
            String engineId,
            int version,
            Duration deadline) {}

    /** What one call brought: the prompt's tokens and one outcome for each index. */
    public record SampledBatch(int[] promptTokens, List<SampleOutcome> outcomes) {}

    /** All samples go out in one call and share the prompt's prefill. */
    public SampledBatch sample(EngineApi engine, SamplingCall call) {
        int[] prompt = prompts.of(call.task().prompt());
        List<GenerateRequest> requests = call.indexes().stream()
                .map(index -> GenerateRequest.ofTokens(
                        call.ridPrefix() + index, prompt, params(call.task().sampling(), index)))
                .toList();
        List<GenerateResponse> replies = engine.generate(requests, call.deadline());
        var expected = new ReplyCheck.Expected(
                call.engineId(), call.version(), call.task().sampling().maxTokens());
        List<SampleOutcome> outcomes = new ArrayList<>();
        for (int i = 0; i < replies.size(); i++) {
            outcomes.add(ReplyCheck.check(
                    call.indexes().get(i), replies.get(i), expected, tokens -> scorer.score(call.task(), tokens)));
        }
        return new SampledBatch(prompt, outcomes);
    }

    /** A sample that no engine could give. */
    public static Sample failed(int index, String engineId, String reason) {
        return ReplyCheck.failed(index, engineId, reason);
    }

    private static SamplingParams params(Sampling sampling, int index) {
        var params =
                SamplingParams.of(sampling.maxTokens(), sampling.temperature()).change();
        if (sampling.topP() < 1) {
            params = params.topP(sampling.topP());
        }
        if (sampling.topK() != ALL_TOKENS) {
            params = params.topK(sampling.topK());
        }
        if (!sampling.stop().isEmpty()) {
            params = params.stop(sampling.stop());
        }
        if (!sampling.stopTokenIds().isEmpty()) {
            params = params.stopTokenIds(sampling.stopTokenIds());
        }
        return params.samplingSeed(SampleSeed.of(sampling.seed(), index)).done();
    }
}
