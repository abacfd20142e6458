package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.ConstraintRow.row;
import static dev.sluice.domain.constraint.EngineCandidates.glm;
import static dev.sluice.domain.constraint.EngineCandidates.glmApart;
import static dev.sluice.domain.constraint.EngineCandidates.qwen30b;
import static dev.sluice.domain.constraint.EngineCandidates.qwenNext;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Rows of layout, experts and speculation. */
final class EngineRows {
    private EngineRows() {}

    static Stream<ConstraintRow> layout() {
        return Stream.of(
                row(
                        "S01",
                        glm(engine -> engine.dp = 4),
                        glm(engine -> engine.dp = 3),
                        "DP attention needs tp (8) to be a multiple of dp (3)",
                        "set rollout.layout.dp to 8, 4 or 2 [--dp-size"),
                row(
                        "S02",
                        glm(engine -> {}),
                        glm(engine -> engine.dpAttention = false),
                        "dp 8 without DP attention would be 8 whole engines",
                        "[--enable-dp-attention]"),
                row(
                        "S03",
                        glm(engine -> {}),
                        qwen30b(engine -> engine.dpLmHead = true),
                        "has no meaning at dp 1",
                        "remove rollout.sglang.enable-dp-lm-head [--enable-dp-lm-head]"),
                row(
                        "S04",
                        glm(engine -> engine.dp = 2).with(running(32, engine -> engine.dp = 2)),
                        glm(withoutGroups()),
                        "20 attention heads cannot be split over attention TP 8 (8 GPUs / dp 1)",
                        "set rollout.layout.dp to 8, 4 or 2 [--dp-size --enable-dp-attention]"),
                row(
                        "S05",
                        minimax(3),
                        minimax(2),
                        "8 key-value heads and attention TP 12 (24 GPUs / dp 2) do not divide one another",
                        "set rollout.layout.dp to 24, 12, 6, 3 or 1"),
                row(
                        "S14",
                        glmApart(16, engine -> {}),
                        glmApart(24, engine -> {
                            engine.gpus = 12;
                            engine.dp = 12;
                            engine.ep = 4;
                        }),
                        "an engine of 12 GPUs does not tile nodes of 8",
                        "set rollout.layout.gpusPerEngine to 8 or 16"),
                row(
                        "S16",
                        glm(stages(2)),
                        glm(stages(3)),
                        "an engine of 8 GPUs cannot be cut into 3 pipeline stages",
                        "set rollout.layout.pp to 8, 4, 2 or 1 [--pp-size]"));
    }

    static Stream<ConstraintRow> experts() {
        return Stream.of(
                row(
                        "S06",
                        glmApart(24, spread(8)),
                        glmApart(24, spread(16)),
                        "80 expert slots (64 experts + 16 redundant) do not divide over 24 expert-parallel ranks",
                        "set rollout.redundantExperts to 8 (72 slots, 3 per GPU) [--ep-num-redundant-experts]"),
                row(
                        "S07",
                        qwen30b(engine -> {}),
                        qwen30b(engine -> engine.ep = 3),
                        "tp 8 is not a multiple of ep 3",
                        "set rollout.layout.ep to 8, 4, 2 or 1 [--ep-size]"),
                row(
                        "S08",
                        glmApart(64, engine -> {}),
                        glmApart(128, engine -> engine.ep = 64),
                        "tp 128 exceeds the 64 experts",
                        "set rollout.layout.gpusPerEngine to at most 64"),
                row(
                        "S09",
                        glm(engine -> engine.a2a = "deepep"),
                        glm(engine -> {
                            engine.a2a = "deepep";
                            engine.ep = 1;
                        }),
                        "with deepep SGLang takes ep 8 for tp 8, not 1",
                        "set rollout.layout.ep to 8, or leave it out [--ep-size]"),
                row(
                        "S10",
                        glmApart(24, spread(8)),
                        glmApart(24, engine -> engine.redundant = 8),
                        "the 8 redundant experts would never get a token: neither all-to-all backend nor dispatch",
                        "[--moe-a2a-backend deepep --ep-dispatch-algorithm dynamic, or --enable-eplb]"),
                row(
                        "S11",
                        glm(engine -> engine.balancing = true),
                        glm(engine -> {
                            engine.balancing = true;
                            engine.ep = 1;
                        }),
                        "balancing of experts needs expert parallelism, ep is 1",
                        "set rollout.layout.ep to 8 [--ep-size]"),
                row(
                        "S12",
                        glm(engine -> engine.denseTp = 8),
                        glm(engine -> engine.denseTp = 4),
                        "dense blocks cannot be split over 4 GPUs in SGLang 0.5.15.post1",
                        "set rollout.sglang.moe-dense-tp-size to 1 or 8"));
    }

    static Stream<ConstraintRow> speculation() {
        return Stream.of(
                row(
                        "S15",
                        glm(stages(2)),
                        glm(stages(2).andThen(engine -> engine.speculation = Speculation.eagle(2))),
                        "an engine of 2 pipeline stages excludes EAGLE speculation",
                        "set rollout.layout.pp to 1 [--pp-size], or rollout.speculation.algorithm to none"),
                row(
                        "S17",
                        glm(engine -> {}),
                        glm(speculating("EAGLE", 2, 1, 4)),
                        "2 steps of one branch verify 3 tokens, not 4",
                        "[--speculative-num-draft-tokens]"),
                row(
                        "S18",
                        glm(speculating("EAGLE", 0, 0, 0)),
                        glm(speculating("EAGLE", 2, 0, 0)),
                        "EAGLE has 2 steps, no branches and no draft tokens",
                        "give all three, such as 2, 1 and 3"),
                row(
                        "S19",
                        glm(speculating("EAGLE", 3, 4, 8)),
                        glm(speculating("EAGLE", 3, 4, 8).andThen(engine -> engine.page = 64)),
                        "4 branches a step with pages of 64 tokens need one of the attention backends flashinfer, fa3,"
                                + " triton, not SGLang's choice",
                        "give one branch a step [--speculative-eagle-topk 1]"),
                row(
                        "S20",
                        glm(engine -> {}),
                        qwen30b(speculating("EAGLE", 3, 1, 4).andThen(engine -> engine.running = 128)),
                        "SGLang drafts with no MTP layer of Qwen3MoeForCausalLM",
                        "or give a draft model [--speculative-draft-model-path]"),
                row(
                        "S21",
                        glm(engine -> {}),
                        glm(engine -> engine.running = 0),
                        "SGLang runs 48 samples per engine where no number is given, 6 per rank at dp 8",
                        "to 128 (16 per rank) [--max-running-requests]"),
                row(
                        "S25",
                        qwen30b(speculating("NGRAM", 0, 0, 12).andThen(engine -> engine.running = 128)),
                        glm(speculating("NGRAM", 0, 0, 12)),
                        "NGRAM speculation excludes DP attention (dp 8)",
                        "set rollout.speculation.algorithm to EAGLE or none"),
                row(
                        "S26",
                        qwen30b(speculating("NGRAM", 0, 0, 12).andThen(adapters())),
                        glm(adapters()),
                        "SGLang 0.5.15.post1 serves no LoRA adapters beside EAGLE speculation",
                        "[--lora-paths --enable-lora]"),
                row(
                        "S32",
                        qwenNext(engine -> {}),
                        qwenNext(engine -> engine.flags = Flags.NONE.with("--mamba-scheduler-strategy", "no_buffer")),
                        "EAGLE on linear attention needs extra buffers for states, the strategy is no_buffer",
                        "[--mamba-radix-cache-strategy extra_buffer]"));
    }

    private static dev.sluice.domain.candidate.EngineSide running(int samples, Consumer<EngineDraft> change) {
        EngineDraft engine = new EngineDraft();
        change.accept(engine);
        engine.running = samples;
        return engine.build();
    }

    private static Consumer<EngineDraft> withoutGroups() {
        return engine -> {
            engine.dp = 1;
            engine.dpAttention = false;
            engine.dpLmHead = false;
            engine.running = 16;
        };
    }

    private static Consumer<EngineDraft> stages(int pp) {
        return engine -> {
            engine.pp = pp;
            engine.dp = 4;
            engine.ep = 4;
            engine.running = 64;
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
        return engine -> {
            engine.running = 128;
            engine.flags = Flags.NONE.with("--lora-paths", "/adapters/maths");
        };
    }

    /** MiniMax-M2 on engines of 24 GPUs: 48 heads, 8 of keys and values. */
    private static Candidate minimax(int dp) {
        return EngineCandidates.candidate(
                EngineModels.MINIMAX_M2, EngineCandidates.apart(24), EngineCandidates.layout(8), engine -> {
                    engine.plain(24).dp = dp;
                    engine.dpAttention = true;
                    engine.ep = 8;
                });
    }
}
