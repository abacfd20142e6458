package dev.sluice.workerapi;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The samples of one step, packed: N samples of T tokens together. Entry t of a token column belongs to token t; prompt
 * entries are 0 and masked. Arrays are not copied: treat a batch as read-only.
 *
 * @param tokens i32[T]
 * @param cuSeqlens i32[N+1]; sample i has the tokens from {@code cuSeqlens[i]} to before {@code cuSeqlens[i + 1]}
 * @param promptLengths i32[N]
 * @param sampleIds i64[N]
 * @param groups i32[N]; samples of one prompt share a number
 * @param lossDenominators f32[N]; what a sample's summed loss is divided by with the normaliser {@code sample}
 * @param truncated u8[N]; 1 where the sample hit its length limit
 * @param lossMask u8[T]; 1 where a token has a gradient
 * @param advantages f32[T]
 * @param rolloutLogprobs f32[T]; the engine's log-probability of each token that it sampled
 * @param weightVersions i32[T]; the version that sampled each token
 * @param schedule i32[N,3], row by row: optimizer step from 0, data-parallel rank, micro-batch
 * @param optional further columns, f32[T] each
 */
public record Batch(
        Header header,
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
        Map<Column, float[]> optional) {

    /** Version of the format that this class reads and writes. */
    public static final int FORMAT_VERSION = 1;

    /** Columns that only some algorithms need. */
    public enum Column {
        OLD_LOGPROBS,
        REF_LOGPROBS,
        TEACHER_LOGPROBS,
        VALUES,
        RETURNS;

        /** Name of the tensor in the file. */
        public String tensorName() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /**
     * What holds for all samples.
     *
     * @param temperature logits are divided by it, as when the samples were drawn
     * @param topP 1 when sampling was not cut to a nucleus
     * @param topK 0 when sampling was not cut to the k likeliest
     * @param contentSha256 by which the run's log names the batch; absent where none does
     */
    public record Header(
            String runId,
            int step,
            int epoch,
            double temperature,
            double topP,
            int topK,
            LossNormaliser lossNormaliser,
            @Nullable String contentSha256) {
        /** Of a batch that no log names. */
        public Header(
                String runId,
                int step,
                int epoch,
                double temperature,
                double topP,
                int topK,
                LossNormaliser lossNormaliser) {
            this(runId, step, epoch, temperature, topP, topK, lossNormaliser, null);
        }
    }

    /**
     * What summed token losses are divided by in each optimizer step.
     *
     * @param value the divisor, above 0; or 0 to have it counted in the optimizer step (samples or tokens with gradient), which
     *     {@code constant} does not allow
     */
    public record LossNormaliser(Kind kind, double value) {
        /** What is averaged. */
        public enum Kind {
            /** Each sample's sum is divided by its own denominator, their total by {@code value}: a mean of sample means. */
            @JsonProperty("sample")
            SAMPLE,
            /** The total over all tokens is divided by {@code value}. */
            @JsonProperty("token")
            TOKEN,
            /** The same with a divisor that does not depend on the batch. */
            @JsonProperty("constant")
            CONSTANT
        }
    }

    public Batch {
        EnumMap<Column, float[]> copy = new EnumMap<>(Column.class);
        copy.putAll(optional);
        optional = copy;
        BatchCheck.check(
                header,
                new BatchCheck.Tokens(tokens, lossMask, advantages, rolloutLogprobs, weightVersions, optional),
                new BatchCheck.Samples(
                        cuSeqlens, promptLengths, sampleIds, groups, lossDenominators, truncated, schedule));
    }

    /** Samples N. */
    public int samples() {
        return promptLengths.length;
    }

    /** Tokens of sample {@code sample}. */
    public int length(int sample) {
        return cuSeqlens[sample + 1] - cuSeqlens[sample];
    }

    /** The column, or null where the batch has none. */
    public float @Nullable [] column(Column column) {
        return optional.get(column);
    }

    /** Optimizer step of a sample, from 0. */
    public int optimizerStep(int sample) {
        return schedule[3 * sample];
    }

    /** Data-parallel rank of a sample. */
    public int rank(int sample) {
        return schedule[3 * sample + 1];
    }

    /** Micro-batch of a sample within its optimizer step and rank. */
    public int microBatch(int sample) {
        return schedule[3 * sample + 2];
    }
}
