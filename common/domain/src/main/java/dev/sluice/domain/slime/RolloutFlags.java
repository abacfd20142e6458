package dev.sluice.domain.slime;

import dev.sluice.domain.slime.Finding.Kind;
import dev.sluice.domain.slime.Finding.Severity;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** How responses are sampled, and the layout of an engine: {@code rollout}. */
record RolloutFlags(Draft draft, boolean asynchronous) {
    private static final String FUNCTION = "--rollout-function-path";
    private static final String USUAL_FUNCTION = "slime.rollout.sglang_rollout.generate_rollout";
    private static final String FULLY_ASYNCHRONOUS = "slime.rollout.fully_async_rollout.generate_rollout_fully_async";
    private static final String FILTER = "--dynamic-sampling-filter-path";
    private static final String PARTIAL = "--partial-rollout";
    private static final String MASK = "--mask-offpolicy-in-partial-rollout";
    private static final String OVERSAMPLE = "--over-sampling-batch-size";
    private static final String SPECULATION = "--sglang-speculative-algorithm";
    private static final String STEPS = "--sglang-speculative-num-steps";
    private static final String DRAFT = "--sglang-speculative-draft-model-path";
    private static final String EP = "--sglang-ep-size";
    private static final String OLD_EP = "--sglang-enable-ep-moe";
    private static final String ALL_TO_ALL = "--sglang-moe-a2a-backend";
    private static final String OLD_DEEPEP = "--sglang-enable-deepep-moe";

    private static final String SPREAD = "slime.rollout.filter_hub.dynamic_sampling_filters.check_reward_nonzero_std";

    /** slime's own filters, by what they are called in a request; both leave out groups whose rewards are all equal. */
    private static final Map<String, String> FILTERS =
            Map.of(SPREAD, "nonzero_std", SPREAD + "_with_fallback", "nonzero_std_with_fallback");

    void read() {
        lag();
        oversample();
        filter();
        expertParallel();
        allToAll();
        speculation();
    }

    private void lag() {
        String function = draft.text(FUNCTION).orElse(USUAL_FUNCTION);
        boolean fully = function.equals(FULLY_ASYNCHRONOUS);
        boolean given = KindFlags.isSupervised(draft) && function.equals(KindFlags.SUPERVISED_FUNCTION);
        if (!fully && !given && !function.equals(USUAL_FUNCTION)) {
            draft.findings()
                    .error(
                            Kind.UNSUPPORTED,
                            draft.place(FUNCTION),
                            FUNCTION,
                            "%s: Sluice loads no Python function of a script".formatted(FlagReader.shortened(function)),
                            "remove it; rewards, filters and tools are services or parts of Sluice's own");
        }
        if (fully) {
            draft.findings()
                    .warning(
                            Kind.UNSUPPORTED,
                            draft.place(FUNCTION),
                            FUNCTION,
                            "slime lets samples grow as old as they will; here they are at most rollout.maxPolicyLag = 1 publication old",
                            "raise rollout.maxPolicyLag in the request");
        }
        if (colocated() && draft.has(PARTIAL)) {
            draft.findings()
                    .warning(
                            Kind.UNSUPPORTED,
                            draft.place(PARTIAL),
                            PARTIAL,
                            "where engines and training take turns, samples that training interrupts are begun anew",
                            "remove it, or --colocate");
        } else if (draft.has(PARTIAL)) {
            draft.findings()
                    .note(
                            draft.place(PARTIAL),
                            PARTIAL,
                            "unfinished samples go on under new weights while they are at most rollout.maxPolicyLag = 1 publication old",
                            "raise rollout.maxPolicyLag in the request");
        }
        boolean ahead = !colocated() && (asynchronous || fully || draft.has(PARTIAL));
        draft.put("rollout.maxPolicyLag", ahead ? 1 : 0);
        partial(fully);
    }

    private boolean colocated() {
        return draft.has("--colocate");
    }

    private void partial(boolean fully) {
        if (draft.has(PARTIAL) && !colocated()) {
            draft.put("rollout.partialRollout", draft.has(MASK) ? "continue_masked" : "continue");
            return;
        }
        if (draft.has(MASK)) {
            draft.findings().note(draft.place(MASK), MASK, "it has no effect without " + PARTIAL, "remove it");
        }
        // slime's fully asynchronous function goes on with what new weights interrupt, whatever the flags say.
        draft.put("rollout.partialRollout", fully && !colocated() ? "continue" : "restart");
    }

    private void oversample() {
        draft.whole(OVERSAMPLE).ifPresent(batch -> {
            long groups = draft.whole("--rollout-batch-size", batch);
            if (batch < groups) {
                draft.findings()
                        .add(new Finding(
                                Kind.VALUE,
                                Severity.ERROR,
                                draft.place(OVERSAMPLE),
                                OVERSAMPLE,
                                "%d groups in flight are fewer than the %d of a step".formatted(batch, groups),
                                "set it to %d or more, or remove it".formatted(groups),
                                "R07"));
            } else {
                draft.put("rollout.oversample", batch - groups);
            }
        });
    }

    private void filter() {
        draft.text(FILTER).ifPresent(filter -> {
            String own = FILTERS.get(filter);
            if (own != null) {
                draft.put("rollout.dynamicFilter", own);
            } else {
                draft.findings()
                        .error(
                                Kind.UNSUPPORTED,
                                draft.place(FILTER),
                                FILTER,
                                "%s: Sluice loads no Python function of a script"
                                        .formatted(FlagReader.shortened(filter)),
                                "host it with sluice-hooks --dynamic-filter and set rollout.hooks.dynamicFilter, or use "
                                        + SPREAD + " or the one _with_fallback");
            }
        });
    }

    private void expertParallel() {
        long engine = draft.whole("--rollout-num-gpus-per-engine", 1) / Math.max(1, draft.whole("--sglang-pp-size", 1));
        if (draft.has(OLD_EP)) {
            draft.findings()
                    .note(
                            draft.place(OLD_EP),
                            OLD_EP,
                            "SGLang dropped it with 0.5.5; rollout.layout.ep says the same",
                            "write " + EP);
        }
        draft.put("rollout.layout.ep", draft.whole(EP, draft.has(OLD_EP) ? engine : 1));
    }

    private void allToAll() {
        if (draft.has(OLD_DEEPEP)) {
            draft.findings()
                    .note(
                            draft.place(OLD_DEEPEP),
                            OLD_DEEPEP,
                            "SGLang dropped it with 0.5.5; rollout.layout.a2aBackend deepep says the same",
                            "write " + ALL_TO_ALL + " deepep");
        }
        draft.put(
                "rollout.layout.a2aBackend", draft.text(ALL_TO_ALL).orElse(draft.has(OLD_DEEPEP) ? "deepep" : "none"));
    }

    private void speculation() {
        String algorithm = draft.text(SPECULATION).orElse("NONE").toUpperCase(Locale.ROOT);
        boolean eagle = Set.of("EAGLE", "NEXTN").contains(algorithm);
        draft.put("rollout.speculation.algorithm", eagle ? "eagle" : "none");
        if (!eagle && draft.has(SPECULATION) && !algorithm.equals("NONE")) {
            draft.findings()
                    .warning(
                            Kind.UNSUPPORTED,
                            draft.place(SPECULATION),
                            SPECULATION,
                            "drafts come from the model's own MTP layer (EAGLE); with %s nothing is drafted"
                                    .formatted(FlagReader.shortened(algorithm)),
                            "set it to EAGLE where the checkpoint has an MTP layer");
        }
        if (draft.has(DRAFT)) {
            draft.findings()
                    .warning(
                            Kind.UNSUPPORTED,
                            draft.place(DRAFT),
                            DRAFT,
                            "drafts come from the checkpoint's own MTP layer, not from a model beside it",
                            "remove it");
        }
        if (eagle) {
            draft.whole(STEPS).ifPresent(steps -> {
                draft.put("rollout.speculation.steps", steps);
                further("--sglang-speculative-eagle-topk", 1);
                further("--sglang-speculative-num-draft-tokens", steps + 1);
            });
        }
    }

    /** A value other than the one that follows from the steps is kept, for the rules to judge. */
    private void further(String flag, long expected) {
        draft.flags().stream()
                .filter(given -> given.name().equals(flag))
                .filter(given -> draft.whole(flag, expected) != expected)
                .forEach(given -> draft.putFlag("rollout.sglang", flag.substring(KnownFlag.SGLANG.length()), given));
    }
}
