package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.ConstraintRow.row;
import static dev.sluice.domain.constraint.EngineCandidates.glm;
import static dev.sluice.domain.constraint.EngineCandidates.glm5;
import static dev.sluice.domain.constraint.EngineCandidates.qwen30b;

import dev.sluice.domain.candidate.Flags;
import java.util.function.Consumer;
import java.util.stream.Stream;

/** Rows of decoding, of flags and of weights in fp8. */
final class SglangFlagRows {
    private SglangFlagRows() {}

    static Stream<ConstraintRow> decoding() {
        return Stream.of(
                row(
                        "S13",
                        glm(engine -> engine.a2a = "deepep"),
                        glm(engine -> {
                            engine.a2a = "deepep";
                            engine.deepEpMode = "normal";
                        }),
                        "DeepEP's normal mode switches graphs off",
                        "set rollout.sglang.deepep-mode to auto or low_latency [--deepep-mode]"),
                row(
                        "S22",
                        glm(engine -> {}),
                        glm(engine -> engine.running = 512),
                        "up to 64 samples (512 / dp 8) and graphs are captured up to 16",
                        "set rollout.layout.cudaGraphMaxBatch to 64 [--cuda-graph-max-bs]"),
                row(
                        "S23",
                        glm5(engine -> {}),
                        glm5(engine -> engine.graph = 32),
                        "decoding batches of 32 with 5 tokens each send 160 tokens a rank, DeepEP's buffers hold 128",
                        "SGLANG_DEEPEP_NUM_MAX_DISPATCH_TOKENS_PER_RANK to 256"));
    }

    static Stream<ConstraintRow> flags() {
        return Stream.of(
                row(
                        "S24",
                        glm(engine -> engine.page = 64),
                        glm(engine -> engine.page = 96),
                        "8192 tokens over dp 8 is 1024 tokens a rank, no multiple of pages of 96",
                        "set rollout.sglang.chunked-prefill-size to 8448"),
                row(
                        "S27",
                        glm(flag("--enable-two-batch-overlap")),
                        qwen30b(flag("--enable-two-batch-overlap")),
                        "two batches overlap in an all-to-all exchange, and none is set",
                        "set rollout.layout.a2aBackend to deepep [--moe-a2a-backend]"),
                row(
                        "S28",
                        glm(flag("--enable-hierarchical-cache")),
                        glm(engine -> engine.flags =
                                Flags.NONE.with("--enable-hierarchical-cache").with("--disable-radix-cache")),
                        "a hierarchical cache extends the radix cache, and that is switched off",
                        "remove rollout.sglang.enable-hierarchical-cache"),
                // The flag of the other side's tp is gone in the installed SGLang.
                row(
                                "S29",
                                glm(prefillTp(4)),
                                glm(prefillTp(3)),
                                "decode engines of tp 8 and prefill engines of tp 3",
                                "[--tp-size]")
                        .beside("S35"),
                row(
                        "S30",
                        glm(deterministic("fa3")),
                        glm(deterministic("flashmla")),
                        "attention backend flashmla is not deterministic",
                        "set rollout.sglang.attention-backend to fa3 or flashinfer or triton"),
                row(
                        "S31",
                        glm(flag("--cuda-graph-backend-prefill", "disabled")),
                        glm(flag("--cuda-graph-backend-prefill", "breakable")),
                        "graphs of prefill (breakable) cannot be captured",
                        "set rollout.sglang.cuda-graph-backend-prefill to disabled"),
                row(
                        "S33",
                        glm5(flag("--attention-backend", "nsa")),
                        glm5(engine -> engine.page = 1),
                        "DeepSeek sparse attention does not run with pages of 1 tokens",
                        "[--page-size 64 --kv-cache-dtype bf16 --attention-backend nsa]"),
                row(
                        "S34",
                        qwen30b(engine -> {
                            engine.weightBytes = 1.01;
                            engine.ep = 8;
                        }),
                        qwen30b(engine -> engine.weightBytes = 1.01),
                        "an expert of width 768 over 8 GPUs is 96 wide, no multiple of fp8 blocks of 128",
                        "set rollout.layout.ep to 8 [--ep-size], or let engines start from bf16 weights"),
                row(
                        "S35",
                        glm(flag("--schedule-policy", "lpm")),
                        glm(flag("--enable-ep-moe")),
                        "SGLang 0.5.15.post1 has no --enable-ep-moe",
                        "set versions.sglang to the release that has it"));
    }

    private static Consumer<EngineDraft> flag(String name, Object... value) {
        return engine -> engine.flags = Flags.NONE.with(name, value);
    }

    private static Consumer<EngineDraft> prefillTp(int tp) {
        return engine -> engine.flags =
                Flags.NONE.with("--disaggregation-mode", "decode").with("--disaggregation-prefill-tp", tp);
    }

    private static Consumer<EngineDraft> deterministic(String backend) {
        return engine -> engine.flags =
                Flags.NONE.with("--enable-deterministic-inference").with("--attention-backend", backend);
    }
}
