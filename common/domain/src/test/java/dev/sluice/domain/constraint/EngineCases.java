package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm47Flash;
import static dev.sluice.domain.constraint.Candidates.glmApart;
import static dev.sluice.domain.constraint.Candidates.qwen3Next;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static dev.sluice.domain.constraint.Candidates.qwen3_4b;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import dev.sluice.domain.candidate.EngineSide.Speculation;
import java.util.List;
import java.util.function.Consumer;

/** Engines: layout, experts, speculation. */
final class EngineCases {
    private EngineCases() {}

    static final List<RuleCase> LAYOUT = List.of(
            keeps("S01", "dp 4 of 8 GPUs", glm().engine(engine -> engine.groups(4))),
            breaks(
                    "S01",
                    "dp 3 of 8 GPUs",
                    glm().engine(engine -> engine.groups(3)),
                    "DP attention needs tp (8) to be a multiple of dp (3)",
                    "set rollout.layout.dp to 8, 4 or 2 [--dp-size"),
            keeps("S02", "DP attention", glm47Flash()),
            breaks(
                    "S02",
                    "dp 8 without DP attention",
                    glm().engine(engine -> engine.dpAttention = false),
                    "dp 8 without DP attention would be 8 whole engines",
                    "[--enable-dp-attention]"),
            keeps("S03", "an output layer for each of 8 groups", glm47Flash()),
            breaks(
                    "S03",
                    "an output layer for the only group",
                    draft(qwen3_30b()).engine(engine -> engine.dpLmHead = true),
                    "has no meaning at dp 1",
                    "remove rollout.sglang.enable-dp-lm-head [--enable-dp-lm-head]"),
            keeps("S04", "20 heads over 4 GPUs", glm().engine(engine -> engine.groups(2))),
            breaks(
                    "S04",
                    "20 heads over 8 GPUs",
                    glm().lengths(0, 4096, 0).engine(EngineCases::withoutGroups),
                    "20 attention heads cannot be split over attention TP 8 (8 GPUs / dp 1)",
                    "set rollout.layout.dp to 8, 4 or 2 [--dp-size --enable-dp-attention]"),
            keeps("S05", "8 key-value heads over 8 GPUs", keyHeads(3)),
            breaks(
                    "S05",
                    "8 key-value heads over 12 GPUs",
                    keyHeads(2),
                    "8 key-value heads and attention TP 12 (24 GPUs / dp 2) do not divide one another",
                    "set rollout.layout.dp to 24, 12, 6, 3 or 1"),
            keeps("S14", "an engine of two nodes", glmApart(16)),
            breaks(
                    "S14",
                    "an engine of a node and a half",
                    glmApart(24).engine(engine -> {
                        engine.gpus = 12;
                        engine.ep = 4;
                        engine.samples(128);
                        engine.groups(12);
                    }),
                    "an engine of 12 GPUs does not tile nodes of 8",
                    "set rollout.layout.gpusPerEngine to 8 or 16"),
            keeps("S16", "8 GPUs in 2 stages", glm().engine(stages(2))),
            breaks(
                    "S16",
                    "8 GPUs in 3 stages",
                    glm().engine(stages(3)),
                    "an engine of 8 GPUs cannot be cut into 3 pipeline stages",
                    "set rollout.layout.pp to 8, 4, 2 or 1 [--pp-size]"),
            breaks(
                    "S16",
                    "engines without GPUs",
                    draft(qwen3_4b()).engine(0, 64),
                    "an engine of 0 GPUs",
                    "set rollout.layout.gpusPerEngine to at least 1"));

    static final List<RuleCase> EXPERTS = List.of(
            keeps("S06", "64 experts and 8 more over 24 GPUs", glmApart(24).engine(spread(8))),
            breaks(
                    "S06",
                    "64 experts and 16 more over 24 GPUs",
                    glmApart(24).engine(spread(16)),
                    "80 expert slots (64 experts + 16 redundant) do not divide over 24 expert-parallel ranks",
                    "set rollout.redundantExperts to 8 (72 slots, 3 per GPU) [--ep-num-redundant-experts]"),
            keeps("S07", "experts of width 768 over 8 GPUs", qwen3_30b()),
            breaks(
                    "S07",
                    "ep 3 of 8 GPUs",
                    draft(qwen3_30b()).engine(engine -> engine.ep = 3),
                    "tp 8 is not a multiple of ep 3",
                    "set rollout.layout.ep to 8, 4, 2 or 1 [--ep-size]"),
            keeps("S08", "64 experts on 64 GPUs", glmApart(64)),
            breaks(
                    "S08",
                    "64 experts on 128 GPUs",
                    glmApart(128).engine(engine -> {
                        engine.ep = 64;
                        engine.fraction = 0.6;
                    }),
                    "tp 128 exceeds the 64 experts",
                    "set rollout.layout.gpusPerEngine to at most 64"),
            keeps("S09", "DeepEP over ep 8", glm().engine(deepEp())),
            breaks(
                    "S09",
                    "DeepEP over ep 1",
                    glm().engine(engine -> engine.a2a = "deepep"),
                    "with deepep SGLang takes ep 8 for tp 8, not 1",
                    "set rollout.layout.ep to 8, or leave it out [--ep-size]"),
            keeps(
                    "S10",
                    "8 more experts that tokens are dispatched to",
                    glmApart(24).engine(spread(8))),
            breaks(
                    "S10",
                    "8 more experts that get no token",
                    glmApart(24).engine(engine -> engine.redundant = 8),
                    "the 8 redundant experts would never get a token: neither all-to-all backend nor dispatch",
                    "[--moe-a2a-backend deepep --ep-dispatch-algorithm dynamic, or --enable-eplb]"),
            keeps("S11", "balancing over ep 8", glm().engine(deepEp().andThen(engine -> engine.balancing = true))),
            breaks(
                    "S11",
                    "balancing over ep 1",
                    glm().engine(engine -> engine.balancing = true),
                    "balancing of experts needs expert parallelism, ep is 1",
                    "set rollout.layout.ep to 8 [--ep-size]"),
            keeps("S12", "dense blocks over all 8 GPUs", glm().engine(engine -> engine.denseTp = 8)),
            breaks(
                    "S12",
                    "dense blocks over 4 of 8 GPUs",
                    glm().engine(engine -> engine.denseTp = 4),
                    "dense blocks cannot be split over 4 GPUs in SGLang 0.5.15.post1",
                    "set rollout.sglang.moe-dense-tp-size to 1 or 8"));

    static final List<RuleCase> SPECULATION = List.of(
            keeps("S15", "two stages without speculation", glm().engine(stages(2))),
            breaks(
                    "S15",
                    "two stages with EAGLE",
                    glm().engine(stages(2).andThen(engine -> engine.speculation = Speculation.eagle(2))),
                    "an engine of 2 pipeline stages excludes EAGLE speculation",
                    "set rollout.layout.pp to 1 [--pp-size], or rollout.speculation.algorithm to none"),
            keeps("S17", "2 steps and 3 draft tokens", glm47Flash()),
            breaks(
                    "S17",
                    "2 steps and 4 draft tokens",
                    glm().engine(speculating("EAGLE", 2, 1, 4)),
                    "2 steps of one branch verify 3 tokens, not 4",
                    "[--speculative-num-draft-tokens]"),
            keeps("S18", "EAGLE that leaves all to SGLang", glm().engine(speculating("EAGLE", 0, 0, 0))),
            breaks(
                    "S18",
                    "EAGLE with steps alone",
                    glm().engine(speculating("EAGLE", 2, 0, 0)),
                    "EAGLE has 2 steps, no branches and no draft tokens",
                    "give all three, such as 2, 1 and 3"),
            keeps("S19", "trees with pages of one token", glm().engine(speculating("EAGLE", 3, 4, 8))),
            breaks(
                    "S19",
                    "trees with pages of 64 tokens",
                    glm().engine(speculating("EAGLE", 3, 4, 8).andThen(engine -> engine.page = 64)),
                    "4 branches a step with pages of 64 tokens need one of the attention backends flashinfer, fa3,"
                            + " triton, not SGLang's choice",
                    "give one branch a step [--speculative-eagle-topk 1]"),
            keeps("S20", "a checkpoint with an MTP layer", glm47Flash()),
            breaks(
                    "S20",
                    "an architecture without MTP layers",
                    draft(qwen3_30b()).engine(speculating("EAGLE", 3, 1, 4)),
                    "SGLang drafts with no MTP layer of Qwen3MoeForCausalLM",
                    "or give a draft model [--speculative-draft-model-path]"),
            keeps("S21", "256 samples at once", glm47Flash()),
            breaks(
                    "S21",
                    "no number of samples at once",
                    glm().engine(engine -> engine.running = 0),
                    "SGLang runs 48 samples per engine where no number is given, 6 per rank at dp 8",
                    "to 256 (32 per rank) [--max-running-requests]"),
            keeps("S25", "NGRAM at dp 1", draft(qwen3_30b()).engine(speculating("NGRAM", 0, 0, 12))),
            breaks(
                    "S25",
                    "NGRAM at dp 8",
                    glm().engine(speculating("NGRAM", 0, 0, 12)),
                    "NGRAM speculation excludes DP attention (dp 8)",
                    "set rollout.speculation.algorithm to EAGLE or none"),
            keeps(
                    "S26",
                    "adapters beside NGRAM",
                    draft(qwen3_30b()).engine(speculating("NGRAM", 0, 0, 12).andThen(adapters()))),
            breaks(
                    "S26",
                    "adapters beside EAGLE",
                    glm().engine(adapters()),
                    "SGLang 0.5.15.post1 serves no LoRA adapters beside EAGLE speculation",
                    "[--lora-paths --enable-lora]"),
            keeps("S32", "EAGLE with buffers of SGLang's choice", qwen3Next()),
            keeps("S32", "a request for an older SGLang", draft(qwen3Next()).sglangVersion("0.5.13")),
            breaks(
                    "S32",
                    "EAGLE without buffers",
                    draft(qwen3Next()).engine(engine -> engine.flag("--mamba-radix-cache-strategy", "no_buffer")),
                    "EAGLE on linear attention needs extra buffers for states, the strategy is no_buffer",
                    "[--mamba-radix-cache-strategy extra_buffer]"));

    /** DeepEP over all GPUs of an engine of eight. */
    static Consumer<EngineDraft> deepEp() {
        return engine -> {
            engine.a2a = "deepep";
            engine.ep = 8;
        };
    }

    private static void withoutGroups(EngineDraft engine) {
        engine.groups(1);
        engine.dpAttention = false;
        engine.dpLmHead = false;
    }

    private static Consumer<EngineDraft> stages(int pp) {
        return engine -> {
            engine.pp = pp;
            engine.ep = 4;
            engine.groups(4);
            engine.speculation = Speculation.OFF;
        };
    }

    private static Consumer<EngineDraft> spread(int redundant) {
        return engine -> {
            engine.redundant = redundant;
            engine.a2a = "deepep";
            engine.dispatch = "dynamic";
        };
    }

    private static Consumer<EngineDraft> speculating(String algorithm, int steps, int topK, int draftTokens) {
        return engine -> engine.speculation = new Speculation(algorithm, steps, topK, draftTokens, null);
    }

    private static Consumer<EngineDraft> adapters() {
        return engine -> engine.flag("--lora-paths", "/adapters/maths");
    }

    /** 48 heads, 8 of keys and values, on an engine of 24 GPUs. */
    private static CandidateDraft keyHeads(int dp) {
        return draft(qwen3_30b())
                .model(TestModels.withHeads(TestModels.QWEN3_30B, 48, 8))
                .colocated(false)
                .rolloutGpus(24)
                .engine(24, 256)
                .engine(engine -> {
                    engine.groups(dp);
                    engine.dpAttention = true;
                    engine.ep = 8;
                });
    }
}
