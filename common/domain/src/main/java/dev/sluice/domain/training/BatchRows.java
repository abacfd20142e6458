package dev.sluice.domain.training;

import dev.sluice.events.GroupEvent.FinishReason;
import dev.sluice.events.GroupEvent.GroupSampled;
import dev.sluice.events.GroupEvent.Sample;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * The columns of a batch: N samples of T tokens together, groups in the step's order and samples by index. Entry t of a
 * token column belongs to token t; entries of prompt tokens are 0. The same results give the same columns.
 *
 * @param tokens i32[T]
 * @param cuSeqlens i32[N+1], where samples begin and end
 * @param promptLengths i32[N]
 * @param sampleIds i64[N], cursor * samples a prompt + index
 * @param groups i32[N], place of the sample's group in the step
 * @param lossDenominators f32[N], tokens with gradient, at least 1
 * @param truncated u8[N]
 * @param lossMask u8[T]
 * @param advantages f32[T]
 * @param rolloutLogprobs f32[T]
 * @param weightVersions i32[T]
 * @param schedule i32[N,3]: optimizer step, data-parallel rank, micro-batch
 * @param rewards f64[N]
 */
public record BatchRows(
        int[] tokens,
        int[] cuSeqlens,
        int[] promptLengths,
        long[] sampleIds,
        int[] groups,
        float[] lossDenominators,
        byte[] truncated,
        byte[] lossMask,
        float[] advantages,
        float[] rolloutLogprobs,
        int[] weightVersions,
        int[] schedule,
        double[] rewards) {

    /** @param results in the step's order, each accepted before */
    public static BatchRows of(List<GroupSampled> results, BatchRules rules) {
        int samples = results.stream().mapToInt(group -> group.samples().size()).sum();
        int tokens = results.stream().mapToInt(BatchRows::tokensOf).sum();
        BatchRows rows = new BatchRows(
                new int[tokens],
                new int[samples + 1],
                new int[samples],
                new long[samples],
                new int[samples],
                new float[samples],
                new byte[samples],
                new byte[tokens],
                new float[tokens],
                new float[tokens],
                new int[tokens],
                new int[3 * samples],
                new double[samples]);
        int row = 0;
        for (int group = 0; group < results.size(); group++) {
            GroupSampled result = results.get(group);
            for (Sample sample : byIndex(result)) {
                rows.rewards[row] = sample.reward() == null ? Double.NaN : sample.reward();
                rows.groups[row] = group;
                rows.fill(row++, result, sample);
            }
        }
        rules.advantages().fill(rows);
        Schedule.fill(rows, results.size(), rules);
        return rows;
    }

    private static List<Sample> byIndex(GroupSampled group) {
        return group.samples().stream()
                .sorted(Comparator.comparingInt(Sample::index))
                .toList();
    }

    private static int tokensOf(GroupSampled group) {
        return group.samples().stream()
                .mapToInt(sample ->
                        group.promptTokens().length() + sample.tokens().length())
                .sum();
    }

    private void fill(int row, GroupSampled group, Sample sample) {
        int begin = cuSeqlens[row];
        int prompt = group.promptTokens().length();
        int response = sample.tokens().length();
        int first = begin + prompt;
        cuSeqlens[row + 1] = first + response;
        promptLengths[row] = prompt;
        sampleIds[row] = group.cursor() * group.samples().size() + sample.index();
        truncated[row] = (byte) (sample.finishReason() == FinishReason.LENGTH ? 1 : 0);
        System.arraycopy(group.promptTokens().toArray(), 0, tokens, begin, prompt);
        System.arraycopy(sample.tokens().toArray(), 0, tokens, first, response);
        System.arraycopy(sample.logprobs().toArray(), 0, rolloutLogprobs, first, response);
        int unmasked = 0;
        for (int i = 0; i < response; i++) {
            lossMask[first + i] = (byte) (sample.lossMask().get(i) == 0 ? 0 : 1);
            unmasked += lossMask[first + i];
        }
        lossDenominators[row] = Math.max(1, unmasked);
        int token = first;
        for (var span : sample.versions()) {
            Arrays.fill(weightVersions, token, token + span.tokens(), span.version());
            token += span.tokens();
        }
    }

    /** Samples N. */
    public int samples() {
        return promptLengths.length;
    }

    void place(int row, int optimizerStep, int rank, int microBatch) {
        schedule[3 * row] = optimizerStep;
        schedule[3 * row + 1] = rank;
        schedule[3 * row + 2] = microBatch;
    }

    int length(int row) {
        return cuSeqlens[row + 1] - cuSeqlens[row];
    }

    /** Response tokens, prompts not counted. */
    public int responseTokens() {
        return tokens.length - Arrays.stream(promptLengths).sum();
    }

    /** Tokens with gradient. */
    public int trainedTokens() {
        int trained = 0;
        for (byte mask : lossMask) {
            trained += mask;
        }
        return trained;
    }

    /**
     * SHA-256 of the content, hexadecimal. Neither the epoch nor a path nor what a model said is in it: retrained from the log
     * it is the same.
     */
    public String sha256() {
        return new Digest()
                .add("tokens", tokens)
                .add("cu_seqlens", cuSeqlens)
                .add("prompt_lengths", promptLengths)
                .add("sample_id", sampleIds)
                .add("group", groups)
                .add("loss_denominator", lossDenominators)
                .add("truncated", truncated)
                .add("loss_mask", lossMask)
                .add("advantages", advantages)
                .add("rollout_logprobs", rolloutLogprobs)
                .add("weight_version", weightVersions)
                .add("schedule", schedule)
                .hex();
    }
}
