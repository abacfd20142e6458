package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCheck.ranks;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec;
import dev.sluice.domain.model.ModelSpec.Experts;
import dev.sluice.domain.model.ModelSpec.GroupedQueryAttention;
import dev.sluice.domain.model.ModelSpec.LatentAttention;
import dev.sluice.domain.model.ModelSpec.Quantization;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Weights in fp8 with one scale per block: a GPU's part of a matrix is whole blocks. */
final class BlockFp8Constraints {
    /** Rows and columns of a block in every published fp8 checkpoint that engines start from. */
    private static final int BLOCK = 128;

    static final List<Constraint> ALL = List.of(new Constraint(
            "S34",
            Severity.ERROR,
            "rollout.layout.ep",
            "a GPU's parts of block-fp8 matrices are whole blocks",
            "SGLang layers/quantization/fp8.py validate_block_quant_shapes",
            ranks(BlockFp8Constraints::blocks)));

    private BlockFp8Constraints() {}

    /** A matrix that is cut along one side. */
    private record Cut(String name, int width, int gpus) {
        boolean whole(int block) {
            return gpus <= 1 || width % gpus != 0 || width / gpus % block == 0;
        }
    }

    private static @Nullable Breach blocks(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        int block = block(candidate.model(), engine);
        if (block == 0 || !ranks.attentionSplits() || !ranks.expertsSplit()) {
            return null;
        }
        for (Cut cut : cuts(ranks, engine, candidate.model())) {
            if (!cut.whole(block)) {
                boolean experts = cut.name().equals("an expert");
                return new Breach(
                        "%s of width %d over %d GPUs is %d wide, no multiple of fp8 blocks of %d"
                                .formatted(cut.name(), cut.width(), cut.gpus(), cut.width() / cut.gpus(), block),
                        (experts
                                        ? "set rollout.layout.ep to %d [--ep-size]".formatted(ranks.tp())
                                        : "set rollout.layout.gpusPerEngine lower")
                                + ", or let engines start from bf16 weights: leave model.rolloutPath out");
            }
        }
        return null;
    }

    /** Side of a block, 0 where engines have no block-fp8 weights. */
    private static int block(ModelSpec model, EngineSide engine) {
        boolean oneByte = engine.weightBytes() > 0.9 && engine.weightBytes() < 1.2;
        Quantization quantization = model.quantization();
        if (!oneByte) {
            return 0;
        }
        return quantization == null ? BLOCK : quantization.blockSize();
    }

    private static List<Cut> cuts(EngineRanks ranks, EngineSide engine, ModelSpec model) {
        List<Cut> cuts = new ArrayList<>();
        Experts experts = model.experts();
        if (experts != null) {
            cuts.add(new Cut("an expert", experts.size(), ranks.expertTp()));
            // With an all-to-all backend each GPU has the whole shared expert.
            int sharing = EngineRanks.spansAllRanks(engine) ? 1 : ranks.tp();
            cuts.add(new Cut("the shared expert", experts.sharedSize(), sharing));
        }
        if (model.sparseLayers() < model.layers()) {
            cuts.add(new Cut("a dense block", model.denseSize(), engine.moeDenseTp() == 1 ? 1 : ranks.tp()));
        }
        switch (model.attention()) {
            case GroupedQueryAttention grouped ->
                cuts.add(new Cut("attention", grouped.heads() * grouped.headSize(), ranks.attentionTp()));
            case LatentAttention latent -> {
                int queries = latent.heads() * (latent.plainHeadSize() + latent.rotaryHeadSize());
                cuts.add(new Cut("attention", latent.heads() * latent.valueHeadSize(), ranks.attentionTp()));
                cuts.add(new Cut("attention's queries", queries, ranks.attentionTp()));
            }
        }
        return cuts;
    }
}
