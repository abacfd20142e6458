package dev.sluice.domain.plan;

import dev.sluice.domain.candidate.ScriptFlags;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Quantization;
import dev.sluice.domain.request.Facts;
import dev.sluice.events.TrainingRequest;
import org.jspecify.annotations.Nullable;

/**
 * What a planner needs to know of a request's files.
 *
 * @param policy the model that is trained
 * @param rolloutWeightBytes bytes of a weight that engines sample with: 2 in bf16, less where they start from a
 *     quantised copy
 * @param longestPromptTokens estimate of the longest prompt in the prompt file, 0 where unknown
 * @param script flags of the launch script that the request was made of, absent where it was made of none
 */
public record ModelFacts(
        ModelSpec policy,
        double rolloutWeightBytes,
        int longestPromptTokens,
        @Nullable ScriptFlags script) {
    private static final double BF16_BYTES = 2;
    /** Fewer bytes than most tokens of English or code have: an estimate on the safe side. */
    private static final int BYTES_PER_TOKEN = 3;

    static ModelFacts of(TrainingRequest request, Facts facts, ModelSpec policy) {
        Facts.Model copy = facts.rolloutModel();
        ModelSpec sampled = copy == null || copy.spec() == null ? policy : copy.spec();
        Quantization quantization = sampled.quantization();
        Facts.PromptFile prompts = facts.promptFiles().get(request.data().prompts());
        long bytes = prompts == null ? 0 : prompts.summary().longestPromptBytes();
        return new ModelFacts(
                policy,
                quantization == null ? BF16_BYTES : quantization.weightBytes(),
                (int) Math.min(Integer.MAX_VALUE / 2, Math.ceilDiv(bytes, BYTES_PER_TOKEN)),
                facts.script());
    }
}
