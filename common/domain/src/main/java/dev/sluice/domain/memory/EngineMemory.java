package dev.sluice.domain.memory;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.Parameters;
import dev.sluice.domain.model.Parameters.Split;

/**
 * What SGLang needs on each GPU of an engine, bytes.
 *
 * @param weights the model's
 * @param draftWeights the MTP layer's, where it drafts; beside the static share
 * @param draftCache the MTP layer's KV cache, as many tokens as the model's; beside the static share
 * @param cacheBytesPerToken KV cache of a token on a rank; MLA's latent is not divided by tensor parallelism
 * @param cacheTokens tokens that the cache of an attention rank holds; negative bytes hold none
 * @param residue what a colocated trainer leaves on the GPU
 * @see <a href="https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/model_executor/model_runner.py">SGLang's
 *     profile_max_num_token</a>
 */
public record EngineMemory(
        double weights,
        double draftWeights,
        double draftCache,
        double cacheBytesPerToken,
        long cacheTokens,
        double residue) {
    private static final double BF16 = 2;
    private static final double ROUTER = 4;
    private static final double COLOCATED_RESIDUE = 4 * StageMemory.GIB;
    private static final double ALONE_RESIDUE = 0.7 * StageMemory.GIB;
    /** DSA's index cache: 128 bytes of keys in fp8 and a float32 scale for each token and layer. */
    private static final double INDEX_BYTES = 132;

    /** @param engine the candidate's engine, or a variant of it */
    public static EngineMemory of(Candidate candidate, EngineSide engine) {
        ModelSpec model = candidate.model();
        double total = candidate.cluster().gpu().usableGiB() * StageMemory.GIB;
        double residue = candidate.cluster().colocated() ? COLOCATED_RESIDUE : ALONE_RESIDUE;
        double weights = weights(model, engine) / engine.pp();
        double cell = cell(model, engine, 0, model.layers()) / engine.pp();
        long tokens = (long) Math.floor((engine.memFractionStatic() * total - weights - residue) / cell);
        long page = Math.max(1, engine.pageTokens());
        long paged = Math.max(0, tokens) / page * page;
        boolean drafts = engine.speculation().drafts();
        int last = model.layers() - 1;
        return new EngineMemory(
                weights,
                drafts ? draft(model, engine) : 0,
                drafts ? paged * cell(model, engine, last, last + 1) : 0,
                cell,
                paged,
                residue);
    }

    private static double weights(ModelSpec model, EngineSide engine) {
        Parameters parameters = new Parameters(model);
        double bytes = 0;
        for (int layer = 0; layer < model.layers(); layer++) {
            bytes += attention(parameters.attention(layer), model, engine, engine.weightBytes());
            bytes += feedForward(model, engine, model.sparse(layer), engine.weightBytes(), engine.allToAll());
        }
        double table = (double) parameters.embedding() * BF16;
        double embedding = table / (engine.dpAttention() ? engine.attentionTp() : engine.tp());
        boolean headByRank = engine.dpAttention() && engine.dpLmHead();
        double head = model.tiedEmbeddings() ? 0 : table / (headByRank ? engine.attentionTp() : engine.tp());
        return bytes + embedding + head;
    }

    private static double attention(Split split, ModelSpec model, EngineSide engine, double weightBytes) {
        return ((double) split.sharded() / engine.attentionTp() + split.replicated() + 2L * model.hiddenSize())
                * weightBytes;
    }

    /** @param sharedWhole whether each rank holds the shared expert whole, as it does beside an all-to-all library */
    private static double feedForward(
            ModelSpec model, EngineSide engine, boolean sparse, double weightBytes, boolean sharedWhole) {
        double hidden = model.hiddenSize();
        Experts experts = model.experts();
        if (!sparse || experts == null) {
            return 3 * hidden * model.denseSize() * weightBytes / (engine.moeDenseTp() == 1 ? 1 : engine.tp());
        }
        double slots = (double) (experts.count() + engine.redundantExperts()) / engine.ep();
        double routed = slots * 3 * hidden * experts.size() / engine.expertTp() * weightBytes;
        double shared = 3 * hidden * experts.sharedSize() * weightBytes / (sharedWhole ? 1 : engine.tp());
        return routed + hidden * experts.count() * ROUTER + shared;
    }

    /** The MTP layer stays in bf16 whatever the model's weights are. */
    private static double draft(ModelSpec model, EngineSide engine) {
        int last = model.layers() - 1;
        Split attention = new Parameters(model).attention(last);
        double projection = 2.0 * model.hiddenSize() * model.hiddenSize() * BF16;
        return attention(attention, model, engine, BF16)
                + feedForward(model, engine, model.sparse(last), BF16, false)
                + projection;
    }

    /** KV cache of a token in these layers, the last excluded; gated delta-net layers have none. */
    private static double cell(ModelSpec model, EngineSide engine, int first, int end) {
        double bytes = 0;
        for (int layer = first; layer < end; layer++) {
            if (!model.linear(layer)) {
                bytes += switch (model.attention()) {
                    case LatentAttention latent -> (latent.latentRank() + latent.rotaryHeadSize()) * engine.kvBytes();
                    case GroupedQueryAttention grouped ->
                        Math.max(1, (double) grouped.groups() / engine.attentionTp())
                                * 2
                                * grouped.headSize()
                                * engine.kvBytes();
                };
            }
            bytes += model.indexer() == null ? 0 : INDEX_BYTES;
        }
        return bytes;
    }

    /**
     * The largest static share that SGLang's own heuristic leaves room for: activations of a chunk, decoding graphs, and
     * two GiB for a draft. Beyond it graph capture or the draft run out of memory.
     *
     * @see <a href="https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/server_args.py">server_args.py,
     *     mem_fraction_static</a>
     */
    public static double largestFraction(Candidate candidate, EngineSide engine) {
        double totalMiB = candidate.cluster().gpu().usableGiB() * 1024;
        int graph = engine.cudaGraphMaxBatch() > 0 ? engine.cudaGraphMaxBatch() : defaultGraphBatch(engine);
        double reserved = 512
                + 1.5 * Math.max(engine.chunkedPrefillTokens(), 2048)
                + 2.0 * graph
                + 1024.0 * engine.tp() * engine.pp() / 8;
        if (engine.dpAttention()) {
            reserved += 3.0 * graph * engine.dp() + (graph > 300 ? 1.5 * graph * engine.dp() : 0);
        }
        reserved = candidate.cluster().gpu().usableGiB() > 60 ? Math.max(reserved, 10_240) : reserved;
        reserved += engine.speculation().drafts() ? 2048 : 0;
        return 1 - reserved / totalMiB;
    }

    /** SGLang's default of {@code --cuda-graph-max-bs} on GPUs of 80 to 141 GB. */
    public static int defaultGraphBatch(EngineSide engine) {
        return engine.tp() < 4 ? 256 : 512;
    }
}
