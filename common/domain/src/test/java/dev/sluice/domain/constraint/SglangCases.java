package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.Candidates.draft;
import static dev.sluice.domain.constraint.Candidates.glm;
import static dev.sluice.domain.constraint.Candidates.glm47Flash;
import static dev.sluice.domain.constraint.Candidates.glm52;
import static dev.sluice.domain.constraint.Candidates.qwen3_30b;
import static dev.sluice.domain.constraint.EngineCases.deepEp;
import static dev.sluice.domain.constraint.RuleCase.breaks;
import static dev.sluice.domain.constraint.RuleCase.keeps;

import java.util.List;
import java.util.function.Consumer;

/** SGLang's options: decoding, flags, weights in fp8. */
final class SglangCases {
    private SglangCases() {}

    static final List<RuleCase> DECODING = List.of(
            keeps("S13", "DeepEP of SGLang's choice", glm().engine(deepEp())),
            breaks(
                    "S13",
                    "DeepEP's normal mode",
                    glm().engine(deepEp().andThen(engine -> engine.deepEpMode = "normal")),
                    "DeepEP's normal mode switches graphs off",
                    "set rollout.sglang.deepep-mode to auto or low_latency [--deepep-mode]"),
            keeps("S22", "graphs of 32 for 256 samples over 8 ranks", glm47Flash()),
            breaks(
                    "S22",
                    "graphs of 32 for 512 samples over 8 ranks",
                    glm().engine(engine -> engine.running = 512),
                    "up to 64 samples (512 / dp 8) and graphs are captured up to 32",
                    "set rollout.layout.cudaGraphMaxBatch to 64 [--cuda-graph-max-bs]"),
            keeps("S23", "a script's batches of 8 with 5 tokens", glm52()),
            keeps("S23", "a request, for which the planner sets it", glm().engine(large().andThen(deepEp()))),
            breaks(
                    "S23",
                    "a script's batches of 32 with 5 tokens",
                    draft(glm52()).engine(engine -> {
                        engine.graph = 32;
                        engine.fraction = 0.6;
                    }),
                    "decoding batches of 32 with 5 tokens each send 160 tokens a rank, DeepEP's buffers hold 128",
                    "SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK to 256"));

    static final List<RuleCase> FLAGS = List.of(
            keeps("S24", "1024 tokens a rank in pages of 64", glm().engine(engine -> engine.page = 64)),
            breaks(
                    "S24",
                    "1024 tokens a rank in pages of 96",
                    glm().engine(engine -> engine.page = 96),
                    "8192 tokens over dp 8 is 1024 tokens a rank, no multiple of pages of 96",
                    "set rollout.sglang.chunked-prefill-size to 8448"),
            keeps("S27", "two batches beside DP attention", glm().engine(flag("--enable-two-batch-overlap"))),
            breaks(
                    "S27",
                    "two batches without any exchange",
                    draft(qwen3_30b()).engine(flag("--enable-two-batch-overlap")),
                    "two batches overlap in an all-to-all exchange, and none is set",
                    "set rollout.layout.a2aBackend to deepep [--moe-a2a-backend]"),
            keeps("S28", "a hierarchical cache", glm().engine(flag("--enable-hierarchical-cache"))),
            breaks(
                    "S28",
                    "a hierarchical cache of no cache",
                    glm().engine(flag("--enable-hierarchical-cache").andThen(flag("--disable-radix-cache"))),
                    "a hierarchical cache extends the radix cache, and that is switched off",
                    "remove rollout.sglang.enable-hierarchical-cache"),
            // The flag of the other side's tp is gone in the installed SGLang.
            keeps("S29", "prefill over 4 GPUs", glm().engine(prefillTp(4))).beside("S35"),
            breaks(
                            "S29",
                            "prefill over 3 GPUs",
                            glm().engine(prefillTp(3)),
                            "decode engines of tp 8 and prefill engines of tp 3",
                            "[--tp-size]")
                    .beside("S35"),
            keeps("S30", "deterministic fa3", glm().engine(deterministic("fa3"))),
            breaks(
                    "S30",
                    "deterministic flashmla",
                    glm().engine(deterministic("flashmla")),
                    "attention backend flashmla is not deterministic",
                    "set rollout.sglang.attention-backend to fa3 or flashinfer or triton"),
            keeps("S31", "no graphs of prefill", glm().engine(flag("--cuda-graph-backend-prefill", "disabled"))),
            breaks(
                    "S31",
                    "graphs of prefill on shared GPUs",
                    glm().engine(flag("--cuda-graph-backend-prefill", "breakable")),
                    "graphs of prefill (breakable) cannot be captured",
                    "set rollout.sglang.cuda-graph-backend-prefill to disabled"),
            keeps("S33", "sparse attention's own backend", draft(glm52()).engine(flag("--attention-backend", "nsa"))),
            breaks(
                    "S33",
                    "sparse attention with pages of one token",
                    draft(glm52()).engine(engine -> engine.page = 1),
                    "DeepSeek sparse attention does not run with pages of 1 tokens",
                    "[--page-size 64 --kv-cache-dtype bf16 --attention-backend nsa]"),
            keeps("S34", "whole fp8 experts", draft(qwen3_30b()).engine(fp8().andThen(engine -> engine.ep = 8))),
            breaks(
                    "S34",
                    "fp8 experts cut in eight",
                    draft(qwen3_30b()).engine(fp8()),
                    "an expert of width 768 over 8 GPUs is 96 wide, no multiple of fp8 blocks of 128",
                    "set rollout.layout.ep to 8 [--ep-size], or let engines start from bf16 weights"),
            keeps("S35", "a flag that SGLang has", glm().engine(flag("--schedule-policy", "lpm"))),
            breaks(
                    "S35",
                    "a flag that SGLang had",
                    glm().engine(flag("--enable-ep-moe")),
                    "SGLang 0.5.15.post1 has no --enable-ep-moe",
                    "set versions.sglang to the release that has it"));

    static Consumer<EngineDraft> flag(String name, Object... value) {
        return engine -> engine.flag(name, value);
    }

    /** Decoding batches of 64, of which each sample verifies 3 tokens: 192 tokens a rank. */
    private static Consumer<EngineDraft> large() {
        return engine -> engine.samples(512);
    }

    private static Consumer<EngineDraft> fp8() {
        return engine -> engine.weightBytes = 1.01;
    }

    private static Consumer<EngineDraft> prefillTp(int tp) {
        return flag("--disaggregation-mode", "decode").andThen(flag("--disaggregation-prefill-tp", tp));
    }

    private static Consumer<EngineDraft> deterministic(String backend) {
        return flag("--enable-deterministic-inference").andThen(flag("--attention-backend", backend));
    }
}
