package dev.sluice.domain.candidate;

import org.jspecify.annotations.Nullable;

/**
 * How one SGLang engine samples; all engines are alike.
 *
 * @param gpus GPUs of one engine ({@code rollout_num_gpus_per_engine})
 * @param pp pipeline parallel size
 * @param dp data-parallel size, of attention where {@code dpAttention}
 * @param ep expert parallel size
 * @param redundantExperts expert slots beyond the model's experts
 * @param memFractionStatic share of a GPU's memory for weights and KV cache
 * @param cudaGraphMaxBatch largest decoding batch of a rank that is captured as a graph, 0 where not given
 * @param maxRunningRequests samples the engine runs at once, over all its ranks; 0 where not given
 * @param chunkedPrefillTokens prompt tokens of one prefill, before division by {@code dp}
 * @param pageTokens tokens of a KV page
 * @param moeDenseTp tensor parallel size of dense blocks, 0 where not given
 * @param a2aBackend SGLang's all-to-all backend, {@code none} or such as {@code deepep}
 * @param deepEpMode {@code auto}, {@code normal} or {@code low_latency}
 * @param dispatchAlgorithm {@code ep_dispatch_algorithm}, absent where not given
 * @param weightBytes bytes of a weight: 2 in bf16, about 1.01 in block fp8, about 0.53 in int4
 * @param kvBytes bytes of a KV cache entry: 2 in bf16, 1 in fp8
 * @param flags SGLang's further flags, in SGLang's own names
 */
public record EngineSide(
        int gpus,
        int pp,
        int dp,
        boolean dpAttention,
        boolean dpLmHead,
        int ep,
        int redundantExperts,
        double memFractionStatic,
        int cudaGraphMaxBatch,
        int maxRunningRequests,
        int chunkedPrefillTokens,
        int pageTokens,
        int moeDenseTp,
        String a2aBackend,
        String deepEpMode,
        @Nullable String dispatchAlgorithm,
        boolean expertBalancing,
        Speculation speculation,
        double weightBytes,
        double kvBytes,
        Flags flags) {

    /**
     * Speculative decoding.
     *
     * @param algorithm SGLang's name, such as {@code EAGLE}; {@code NONE} where it is off
     * @param steps draft steps, 0 where not given
     * @param topK branches of a draft step, 0 where not given
     * @param draftTokens tokens of one verification, 0 where not given
     * @param draftPath a draft model of its own, absent where the checkpoint's MTP layer drafts
     */
    public record Speculation(
            String algorithm,
            int steps,
            int topK,
            int draftTokens,
            @Nullable String draftPath) {
        public static final Speculation OFF = new Speculation("NONE", 0, 0, 0, null);

        public static Speculation eagle(int steps) {
            return new Speculation("EAGLE", steps, 1, steps + 1, null);
        }

        public boolean on() {
            return !algorithm.equals("NONE");
        }

        /**
         * Tokens that SGLang keeps free in every sequence's context for drafts: it refuses a request whose prompt and
         * response leave less.
         *
         * @see <a
         *     href="https://github.com/sgl-project/sglang/blob/v0.5.15.post1/python/sglang/srt/managers/tokenizer_manager.py">init_model_config</a>
         */
        public int reservedTokens() {
            return drafts() || algorithm.equals("EAGLE3") ? Math.max(topK * steps, draftTokens) : 0;
        }

        /** Whether drafts come from the checkpoint's own MTP layer. */
        public boolean drafts() {
            return algorithm.equals("EAGLE") || algorithm.equals("NEXTN");
        }
    }

    /** Tensor parallel size: the engine's GPUs of one pipeline stage. */
    public int tp() {
        return Math.max(1, gpus / Math.max(1, pp));
    }

    /** GPUs that share one attention head set. */
    public int attentionTp() {
        return dpAttention ? Math.max(1, tp() / Math.max(1, dp)) : tp();
    }

    /** GPUs that share one expert. */
    public int expertTp() {
        return Math.max(1, tp() / Math.max(1, ep));
    }

    /** Whether tokens travel to experts through an all-to-all library. */
    public boolean allToAll() {
        return !a2aBackend.equals("none");
    }

    public EngineSide with(Speculation other) {
        return copy(memFractionStatic, cudaGraphMaxBatch, maxRunningRequests, other, flags);
    }

    /** The same engine with another memory fraction and other batches. */
    public EngineSide withBatches(double fraction, int graphBatch, int runningRequests) {
        return copy(fraction, graphBatch, runningRequests, speculation, flags);
    }

    public EngineSide with(Flags other) {
        return copy(memFractionStatic, cudaGraphMaxBatch, maxRunningRequests, speculation, other);
    }

    private EngineSide copy(
            double fraction, int graphBatch, int runningRequests, Speculation otherSpeculation, Flags otherFlags) {
        return new EngineSide(
                gpus,
                pp,
                dp,
                dpAttention,
                dpLmHead,
                ep,
                redundantExperts,
                fraction,
                graphBatch,
                runningRequests,
                chunkedPrefillTokens,
                pageTokens,
                moeDenseTp,
                a2aBackend,
                deepEpMode,
                dispatchAlgorithm,
                expertBalancing,
                otherSpeculation,
                weightBytes,
                kvBytes,
                otherFlags);
    }
}
