package dev.sluice.domain.constraint;

import static dev.sluice.domain.constraint.EngineCheck.engine;

import dev.sluice.domain.candidate.Candidate;
import dev.sluice.domain.candidate.EngineSide;
import dev.sluice.domain.candidate.EngineSide.Speculation;
import dev.sluice.domain.candidate.Flags;
import dev.sluice.domain.candidate.Version;
import dev.sluice.domain.constraint.Constraint.Breach;
import dev.sluice.domain.constraint.Constraint.Severity;
import dev.sluice.domain.model.ModelSpec;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Speculative decoding: what SGLang drafts with, and what it refuses beside it. */
final class SpeculationConstraints {
    /** Samples an engine runs at once with speculation where nothing is given: arg_groups/speculative_hook.py. */
    private static final int DEFAULT_RUNNING = 48;

    /** Algorithms that draft in steps and branches: speculative_hook.py {@code _handle_eagle_family}. */
    private static final Set<String> STEPWISE = Set.of("EAGLE", "NEXTN", "EAGLE3", "STANDALONE");

    /** Algorithms that draft with a model of their own. */
    private static final Set<String> DRAFT_MODEL = Set.of("EAGLE3", "STANDALONE", "DFLASH");

    /** Algorithms that refuse DP attention. */
    private static final Set<String> WITHOUT_DP_ATTENTION = Set.of("STANDALONE", "NGRAM", "DFLASH");

    /** Algorithms beside LoRA from SGLang 0.5.23 on: arg_groups/lora_hook.py. */
    private static final Set<String> BESIDE_LORA = Set.of("NGRAM", "EAGLE", "NEXTN", "EAGLE3", "DFLASH", "DSPARK");

    static final List<Constraint> ALL = List.of(
            new Constraint(
                    "S15",
                    Severity.ERROR,
                    "rollout.layout.pp",
                    "an engine of several pipeline stages neither speculates nor mixes chunks",
                    "SGLang server_args.py check_server_args",
                    engine(SpeculationConstraints::stages)),
            new Constraint(
                    "S17",
                    Severity.FIX,
                    "rollout.speculation.steps",
                    "with one branch a step, draft tokens are the steps and one",
                    "SGLang arg_groups/speculative_hook.py _handle_eagle_family",
                    engine(SpeculationConstraints::draftTokens)),
            new Constraint(
                    "S18",
                    Severity.ERROR,
                    "rollout.speculation.steps",
                    "EAGLE's steps, branches and draft tokens are given together or not at all",
                    "SGLang arg_groups/speculative_hook.py _handle_eagle_family",
                    engine(SpeculationConstraints::together)),
            new Constraint(
                    "S19",
                    Severity.ERROR,
                    "rollout.sglang.speculative-eagle-topk",
                    "several branches a step need pages of one token or a backend that can draft trees",
                    "SGLang arg_groups/speculative_hook.py _handle_eagle_family",
                    engine(SpeculationConstraints::branches)),
            new Constraint(
                    "S20",
                    Severity.ERROR,
                    "rollout.speculation.algorithm",
                    "what drafts exists: a draft model, or an MTP layer that the installed SGLang drafts with",
                    "SGLang configs/model_config.py _config_draft_model; models/glm4_moe_lite.py load_weights",
                    engine(SpeculationConstraints::drafter)),
            new Constraint(
                    "S21",
                    Severity.ERROR,
                    "rollout.layout.maxRunningRequests",
                    "with speculation the number of samples at once is given",
                    "SGLang arg_groups/speculative_hook.py",
                    engine(SpeculationConstraints::running)),
            new Constraint(
                    "S25",
                    Severity.ERROR,
                    "rollout.speculation.algorithm",
                    "DP attention comes with no speculation but EAGLE",
                    "SGLang arg_groups/speculative_hook.py",
                    engine(SpeculationConstraints::dpAttention)),
            new Constraint(
                    "S26",
                    Severity.ERROR,
                    "rollout.speculation.algorithm",
                    "LoRA adapters come with speculation that the installed SGLang allows beside them",
                    "SGLang server_args.py check_lora_server_args; from 0.5.23 arg_groups/lora_hook.py",
                    engine(SpeculationConstraints::adapters)),
            new Constraint(
                    "S32",
                    Severity.ERROR,
                    "rollout.sglang.mamba-scheduler-strategy",
                    "EAGLE on a model with linear attention keeps extra buffers for its states",
                    "SGLang server_args.py _handle_mamba_radix_cache; slime run-qwen3.5-27B.sh",
                    engine(SpeculationConstraints::linearStates)));

    private SpeculationConstraints() {}

    private static @Nullable Breach stages(EngineSide engine, Candidate candidate) {
        boolean speculates = engine.speculation().on();
        boolean mixes = engine.flags().has("--enable-mixed-chunk");
        if (engine.pp() <= 1 || !(speculates || mixes)) {
            return null;
        }
        String what = speculates ? engine.speculation().algorithm() + " speculation" : "mixed chunks";
        String off = speculates
                ? "rollout.speculation.algorithm to none"
                : "rollout.sglang.enable-mixed-chunk to false [--enable-mixed-chunk]";
        return new Breach(
                "an engine of %d pipeline stages excludes %s".formatted(engine.pp(), what),
                "set rollout.layout.pp to 1 [--pp-size], or %s".formatted(off));
    }

    private static boolean stepwise(Speculation speculation) {
        return STEPWISE.contains(speculation.algorithm());
    }

    private static boolean complete(Speculation speculation) {
        return speculation.steps() > 0 && speculation.topK() > 0 && speculation.draftTokens() > 0;
    }

    private static @Nullable Breach draftTokens(EngineSide engine, Candidate candidate) {
        Speculation speculation = engine.speculation();
        int tokens = speculation.steps() + 1;
        if (!stepwise(speculation)
                || !complete(speculation)
                || speculation.topK() != 1
                || speculation.draftTokens() == tokens) {
            return null;
        }
        return new Breach(
                "%d steps of one branch verify %d tokens, not %d"
                        .formatted(speculation.steps(), tokens, speculation.draftTokens()),
                "give %d draft tokens [--speculative-num-draft-tokens]; the plan writes %d".formatted(tokens, tokens));
    }

    private static @Nullable Breach together(EngineSide engine, Candidate candidate) {
        Speculation speculation = engine.speculation();
        boolean none = speculation.steps() == 0 && speculation.topK() == 0 && speculation.draftTokens() == 0;
        if (!stepwise(speculation) || none || complete(speculation)) {
            return null;
        }
        int steps = speculation.steps() > 0 ? speculation.steps() : Math.max(1, speculation.draftTokens() - 1);
        return new Breach(
                "%s has %s steps, %s branches and %s draft tokens: SGLang takes all three or none"
                        .formatted(
                                speculation.algorithm(),
                                number(speculation.steps()),
                                number(speculation.topK()),
                                number(speculation.draftTokens())),
                ("give all three, such as %d, 1 and %d"
                                + " [--speculative-num-steps --speculative-eagle-topk --speculative-num-draft-tokens]")
                        .formatted(steps, steps + 1));
    }

    private static String number(int given) {
        return given > 0 ? String.valueOf(given) : "no";
    }

    private static @Nullable Breach branches(EngineSide engine, Candidate candidate) {
        Speculation speculation = engine.speculation();
        String backend = engine.flags().text("--attention-backend", "");
        if (!stepwise(speculation) || speculation.topK() <= 1) {
            return null;
        }
        String mend = "give one branch a step [--speculative-eagle-topk 1]";
        if (backend.equals("trtllm_mha")) {
            return new Breach(
                    "trtllm_mha drafts one branch a step, not %d".formatted(speculation.topK()),
                    mend + ", or another --attention-backend");
        }
        List<String> trees = treeBackends(candidate.installed().sglang());
        if (engine.pageTokens() <= 1 || trees.contains(backend)) {
            return null;
        }
        return new Breach(
                "%d branches a step with pages of %d tokens need one of the attention backends %s, not %s"
                        .formatted(
                                speculation.topK(),
                                engine.pageTokens(),
                                String.join(", ", trees),
                                backend.isEmpty() ? "SGLang's choice" : backend),
                mend + ", or set rollout.sglang.page-size to 1 [--page-size]");
    }

    private static List<String> treeBackends(Version sglang) {
        if (sglang.atLeast("0.5.13")) {
            return List.of("flashinfer", "fa3", "triton");
        }
        return sglang.atLeast("0.5.9") ? List.of("flashinfer", "fa3") : List.of("flashinfer");
    }

    private static @Nullable Breach drafter(EngineSide engine, Candidate candidate) {
        Speculation speculation = engine.speculation();
        if (speculation.draftPath() != null) {
            return null;
        }
        if (DRAFT_MODEL.contains(speculation.algorithm())) {
            return new Breach(
                    "%s drafts with a model of its own, and none is given".formatted(speculation.algorithm()),
                    "give a draft model [--speculative-draft-model-path], or set rollout.speculation.algorithm to EAGLE or none");
        }
        return speculation.drafts()
                ? mtpLayer(candidate.model(), candidate.installed().sglang())
                : null;
    }

    /** Whether the checkpoint's own MTP layer drafts. */
    private static @Nullable Breach mtpLayer(ModelSpec model, Version sglang) {
        String mend =
                "set rollout.speculation.algorithm to none, or give a draft model [--speculative-draft-model-path]";
        EagleSupport support = EagleSupport.of(model.architecture());
        if (support == null) {
            return new Breach(
                    "SGLang drafts with no MTP layer of %s, only with those of %s"
                            .formatted(model.architecture(), String.join(", ", EagleSupport.architectures())),
                    mend);
        }
        if (support.counted() && model.mtpLayers() != 1) {
            return new Breach(
                    "SGLang drafts with one MTP layer, and this %s has %d (num_nextn_predict_layers)"
                            .formatted(model.architecture(), model.mtpLayers()),
                    mend);
        }
        if (!support.in(sglang)) {
            return new Breach(
                    "SGLang drafts with the MTP layer of %s from %s on, and versions.sglang is %s"
                            .formatted(model.architecture(), support.since(), sglang),
                    "install SGLang %s, or %s".formatted(support.since(), mend));
        }
        return null;
    }

    private static @Nullable Breach running(EngineSide engine, Candidate candidate) {
        if (!engine.speculation().on() || engine.maxRunningRequests() > 0) {
            return null;
        }
        int ranks = Math.max(1, engine.dp());
        int perRank = engine.cudaGraphMaxBatch() > 0 ? engine.cudaGraphMaxBatch() : 16;
        return new Breach(
                "with speculation SGLang runs %d samples per engine where no number is given, %d per rank at dp %d"
                        .formatted(DEFAULT_RUNNING, DEFAULT_RUNNING / ranks, ranks),
                "set rollout.layout.maxRunningRequests, such as to %d (%d per rank) [--max-running-requests]"
                        .formatted((long) perRank * ranks, perRank));
    }

    private static @Nullable Breach dpAttention(EngineSide engine, Candidate candidate) {
        String algorithm = engine.speculation().algorithm();
        // At dp 1 SGLang switches DP attention off.
        if (!WITHOUT_DP_ATTENTION.contains(algorithm) || engine.dp() <= 1) {
            return null;
        }
        return new Breach(
                "%s speculation excludes DP attention (dp %d)".formatted(algorithm, engine.dp()),
                "set rollout.speculation.algorithm to EAGLE or none, or rollout.layout.dp to 1 [--dp-size]");
    }

    private static @Nullable Breach adapters(EngineSide engine, Candidate candidate) {
        Flags flags = engine.flags();
        String algorithm = engine.speculation().algorithm();
        boolean adapters = flags.has("--lora-paths") || flags.has("--enable-lora");
        if (!adapters || !engine.speculation().on()) {
            return null;
        }
        Version sglang = candidate.installed().sglang();
        Set<String> allowed = sglang.atLeast("0.5.23") ? BESIDE_LORA : Set.of("NGRAM");
        if (allowed.contains(algorithm)) {
            return null;
        }
        return new Breach(
                "SGLang %s serves no LoRA adapters beside %s speculation".formatted(sglang, algorithm),
                "set rollout.speculation.algorithm to none, or remove the adapters [--lora-paths --enable-lora]");
    }

    private static @Nullable Breach linearStates(EngineSide engine, Candidate candidate) {
        Flags flags = engine.flags();
        if (candidate.model().linearAttention() == null
                || !stepwise(engine.speculation())
                || flags.has("--disable-radix-cache")) {
            return null;
        }
        boolean renamed = candidate.installed().sglang().atLeast("0.5.14");
        String flag = renamed ? "--mamba-radix-cache-strategy" : "--mamba-scheduler-strategy";
        String strategy = flags.text(
                "--mamba-radix-cache-strategy",
                // From 0.5.14 on SGLang chooses extra buffers by itself where speculation overlaps; before, the planner
                // asks
                // for them.
                flags.text(
                        "--mamba-scheduler-strategy", renamed || !Given.script(candidate) ? "extra_buffer" : "auto"));
        if (strategy.equals("extra_buffer") || (renamed && strategy.equals("auto"))) {
            return null;
        }
        return new Breach(
                "%s on linear attention needs extra buffers for states, the strategy is %s"
                        .formatted(engine.speculation().algorithm(), strategy),
                "set rollout.sglang.%s to extra_buffer [%s extra_buffer]".formatted(flag.substring(2), flag));
    }
}
