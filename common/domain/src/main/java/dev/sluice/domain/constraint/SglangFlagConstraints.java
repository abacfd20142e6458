package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCheck.engine;
import static dev.sluice.domain.constraint.EngineCheck.ranks;

import dev.sluice.domain.arguments.SglangFlags;
import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Flags of SGLang that exclude or need one another, apart from layout and speculation. */
final class SglangFlagConstraints {
    /**
     * Architectures that SGLang takes for DeepSeek's under deterministic inference: server_args.py
     * {@code _handle_deterministic_inference} (0.5.15).
     */
    private static final Set<String> DEEPSEEK = Set.of(
            "DeepseekV2ForCausalLM",
            "DeepseekV3ForCausalLM",
            "DeepseekV32ForCausalLM",
            "MistralLarge3ForCausalLM",
            "PixtralForConditionalGeneration",
            "GlmMoeDsaForCausalLM");

    /** Tokens of a page in DeepSeek sparse attention's cache. */
    private static final int DSA_PAGE = 64;

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "S24",
                    Severity.ERROR,
                    "rollout.sglang.chunked-prefill-size",
                    "a rank's share of a prefill chunk (chunk / dp) is whole pages",
                    "SGLang server_args.py check_server_args, _handle_data_parallelism",
                    ranks(SglangFlagConstraints::pagesOfChunk)),
            new Constraint(
                    "S27",
                    Severity.ERROR,
                    "rollout.sglang.enable-two-batch-overlap",
                    "overlapping two batches needs an all-to-all backend or, from SGLang 0.5.15, DP attention",
                    "SGLang server_args.py _check_two_batch_overlap",
                    engine(SglangFlagConstraints::twoBatches)),
            new Constraint(
                    "S28",
                    Severity.ERROR,
                    "rollout.sglang.enable-hierarchical-cache",
                    "a hierarchical cache and no radix cache exclude one another",
                    "SGLang server_args.py _handle_cache_compatibility",
                    engine(SglangFlagConstraints::caches)),
            new Constraint(
                    "S29",
                    Severity.ERROR,
                    "rollout.sglang.disaggregation-mode",
                    "tp of prefill and decode engines divide one another; decode engines have no radix cache beside EAGLE",
                    "SGLang server_args.py validate_disagg_tp_size; arg_groups/pd_disaggregation_hook.py",
                    ranks(SglangFlagConstraints::disaggregation)),
            new Constraint(
                    "S30",
                    Severity.ERROR,
                    "rollout.sglang.attention-backend",
                    "deterministic inference has an attention backend that is deterministic",
                    "SGLang server_args.py _handle_deterministic_inference",
                    engine(SglangFlagConstraints::deterministic)),
            new Constraint(
                    "S31",
                    Severity.FIX,
                    "rollout.sglang.cuda-graph-backend-prefill",
                    "engines that share GPUs with training capture no graphs of prefill",
                    "slime sglang_utils/sglang_engine.py",
                    engine(SglangFlagConstraints::prefillGraphs)),
            new Constraint(
                    "S33",
                    Severity.ERROR,
                    "rollout.sglang.page-size",
                    "DeepSeek sparse attention has pages of 64 tokens, a bf16 or fp8_e4m3 cache and its own backend",
                    "SGLang arg_groups/overrides.py _deepseek_family_overrides",
                    engine(SglangFlagConstraints::sparseAttention)),
            new Constraint(
                    "S35",
                    Severity.WARNING,
                    "rollout.sglang",
                    "flags exist in the installed SGLang",
                    "slime sglang_utils/sglang_engine.py _compute_server_args",
                    engine(SglangFlagConstraints::unknown)));

    private SglangFlagConstraints() {}

    private static @Nullable Breach pagesOfChunk(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        int chunk = engine.chunkedPrefillTokens();
        int page = engine.pageTokens();
        if (chunk <= 0 || page <= 0 || !ranks.attentionSplits() || chunk / ranks.dp() % page == 0) {
            return null;
        }
        long step = (long) page * ranks.dp();
        return new Breach(
                "a prefill chunk of %d tokens over dp %d is %d tokens a rank, no multiple of pages of %d"
                        .formatted(chunk, ranks.dp(), chunk / ranks.dp(), page),
                "set rollout.sglang.chunked-prefill-size to %d [--chunked-prefill-size]"
                        .formatted(Math.ceilDiv(chunk, step) * step));
    }

    private static @Nullable Breach twoBatches(EngineSide engine, Candidate candidate) {
        if (!engine.flags().has("--enable-two-batch-overlap")
                || engine.allToAll()
                || (engine.dp() > 1 && candidate.installed().sglang().atLeast("0.5.15"))) {
            return null;
        }
        return new Breach(
                "two batches overlap in an all-to-all exchange, and none is set",
                "set rollout.layout.a2aBackend to deepep [--moe-a2a-backend], or remove"
                        + " rollout.sglang.enable-two-batch-overlap [--enable-two-batch-overlap]");
    }

    private static @Nullable Breach caches(EngineSide engine, Candidate candidate) {
        Flags flags = engine.flags();
        if (!flags.has("--enable-hierarchical-cache") || !flags.has("--disable-radix-cache")) {
            return null;
        }
        return new Breach(
                "a hierarchical cache extends the radix cache, and that is switched off",
                "remove rollout.sglang.enable-hierarchical-cache [--enable-hierarchical-cache]"
                        + " or rollout.sglang.disable-radix-cache [--disable-radix-cache]");
    }

    private static @Nullable Breach disaggregation(EngineRanks ranks, EngineSide engine, Candidate candidate) {
        Flags flags = engine.flags();
        String mode = flags.text("--disaggregation-mode", "null");
        if (mode.equals("null")) {
            return null;
        }
        boolean decode = mode.equals("decode");
        OptionalDouble given = flags.number(decode ? "--disaggregation-prefill-tp" : "--disaggregation-decode-tp");
        int other = (int) given.orElse(ranks.tp());
        if (other < 1 || Math.max(other, ranks.tp()) % Math.min(other, ranks.tp()) != 0) {
            return new Breach(
                    "%s engines of tp %d and %s engines of tp %d: neither is a multiple of the other"
                            .formatted(mode, ranks.tp(), decode ? "prefill" : "decode", other),
                    "set rollout.layout.gpusPerEngine so that one tp is a multiple of the other [--tp-size]");
        }
        if (decode && engine.speculation().on() && flags.has("--disaggregation-decode-enable-radix-cache")) {
            return new Breach(
                    "decode engines have no radix cache beside %s"
                            .formatted(engine.speculation().algorithm()),
                    "remove rollout.sglang.disaggregation-decode-enable-radix-cache"
                            + " [--disaggregation-decode-enable-radix-cache]");
        }
        return null;
    }

    private static @Nullable Breach deterministic(EngineSide engine, Candidate candidate) {
        Flags flags = engine.flags();
        String backend = flags.text("--attention-backend", "");
        boolean wanted = flags.has("--enable-deterministic-inference") || flags.has("--rl-on-policy-target");
        // Where no backend is given SGLang takes one that will do.
        if (!wanted || backend.isEmpty()) {
            return null;
        }
        boolean deepseek = DEEPSEEK.contains(candidate.model().architecture());
        List<String> allowed = deepseek
                ? List.of("fa3", "triton")
                : deterministic(candidate.installed().sglang());
        if (allowed.contains(backend)) {
            return null;
        }
        return new Breach(
                "attention backend %s is not deterministic%s"
                        .formatted(
                                backend, deepseek ? " for " + candidate.model().architecture() : ""),
                "set rollout.sglang.attention-backend to %s [--attention-backend]"
                        .formatted(String.join(" or ", allowed)));
    }

    private static List<String> deterministic(Version sglang) {
        return sglang.atLeast("0.5.18")
                ? List.of("fa3", "fa4", "flashinfer", "triton")
                : List.of("fa3", "flashinfer", "triton");
    }

    private static @Nullable Breach prefillGraphs(EngineSide engine, Candidate candidate) {
        String backend = engine.flags().text("--cuda-graph-backend-prefill", "disabled");
        boolean saver = candidate.cluster().colocated() || engine.flags().has("--enable-memory-saver");
        if (!saver || backend.equals("disabled")) {
            return null;
        }
        return new Breach(
                "graphs of prefill (%s) cannot be captured while the engine gives its memory back".formatted(backend),
                "set rollout.sglang.cuda-graph-backend-prefill to disabled [--cuda-graph-backend-prefill];"
                        + " the plan does");
    }

    private static @Nullable Breach sparseAttention(EngineSide engine, Candidate candidate) {
        if (candidate.model().indexer() == null) {
            return null;
        }
        List<String> wrong = new ArrayList<>();
        if (engine.pageTokens() > 0 && engine.pageTokens() != DSA_PAGE) {
            wrong.add("pages of %d tokens".formatted(engine.pageTokens()));
        }
        String cache = engine.flags().text("--kv-cache-dtype", "auto");
        if (!Set.of("auto", "bf16", "bfloat16", "fp8_e4m3").contains(cache)) {
            wrong.add("a cache of " + cache);
        }
        String backend = engine.flags().text("--attention-backend", "");
        if (!Set.of("", "nsa", "dsa").contains(backend)) {
            wrong.add("attention backend " + backend);
        }
        if (wrong.isEmpty()) {
            return null;
        }
        return new Breach(
                "DeepSeek sparse attention does not run with %s".formatted(String.join(" and ", wrong)),
                "set rollout.sglang.page-size to 64, rollout.layout.kvCacheDtype to bf16 or fp8_e4m3 and"
                        + " rollout.sglang.attention-backend to nsa"
                        + " [--page-size 64 --kv-cache-dtype bf16 --attention-backend nsa]");
    }

    private static @Nullable Breach unknown(EngineSide engine, Candidate candidate) {
        Version sglang = candidate.installed().sglang();
        List<String> unknown = SglangFlags.unknown(engine.flags(), sglang);
        if (unknown.isEmpty()) {
            return null;
        }
        boolean slime =
                TrainerCapabilities.name(candidate.installed().trainer()).equals("slime");
        return new Breach(
                "SGLang %s has no %s%s"
                        .formatted(
                                sglang,
                                String.join(", ", unknown),
                                slime ? "; slime drops such a flag with no more than a log line" : ""),
                "remove it, or set versions.sglang to the release that has it");
    }
}
