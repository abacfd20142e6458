package dev.sluice.events;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The part of a {@link TrainingRequest} that says how responses are sampled. */
@About("How responses are sampled")
public record Rollout(
        @About("Engines in all; 0 lets the planner choose") int engines,

        @About("Groups (prompts) a training step uses") int groupsPerStep,
        @About("Responses a prompt") int samplesPerPrompt,
        @About("Longest response, tokens") int maxResponseTokens,

        @About("Mean response that times are predicted for, tokens; 0 for half the longest")
        int meanResponseTokens,

        @About("Bound on prompt, response and tool turns together, tokens; 0 for none of their own")
        int maxContextTokens,

        @About("Sampling temperature") double temperature,
        @About("Nucleus sampling mass, 1 for all") double topP,

        @About("Most likely tokens to sample from, -1 for all")
        int topK,

        @About("Publications between a sample's oldest token and its use, at most")
        int maxPolicyLag,

        @About("Groups in flight beyond what the lag allows")
        int oversample,

        @About("Times a group is asked for again after it went stale or was abandoned")
        int maxRounds,

        @About("Seconds an instance has for one group") int groupDeadlineSeconds,

        @About(
                "A sample that new weights interrupt: restart it, continue it where the policy lag allows, or continue_masked: continue it and train on the newer tokens only")
        PartialRollout partialRollout,

        @About(
                "What new weights do to samples that an engine is generating: abort ends them, partialRollout says what then; retract and in_place let them go on in the engine, retract with its cache computed again, in_place with the cache of the older weights")
        PauseMode pauseMode,

        @About(
                "Groups that are not trained on: none; nonzero_std those whose rewards are all equal; nonzero_std_with_fallback those as long as the groups of a step and the oversampled ones hold enough others")
        DynamicFilter dynamicFilter,

        @About("Extra expert slots of an engine") int redundantExperts,
        @About("Speculative decoding") Speculation speculation,

        @About("Layout of an engine; absent values are the planner's choice")
        RolloutLayout layout,

        @About("Further flags of sglang.launch_server without dashes, of a closed list")
        Map<String, String> sglang,

        @About("Texts that end a response, which keeps them")
        List<String> stop,

        @About("Tokens that end a response besides the model's own end")
        List<Integer> stopTokenIds,

        @About("Who answers the model's turns; where it is absent, a response is one turn") @Nullable
        Turns turns,

        @About("Engines up to which instances that join later are used; 0 for as many as planned")
        int maxEngines,

        @About("Regular expressions in RE2's syntax of which a match ends a response, which keeps it")
        List<String> stopRegex,

        @About("Functions of one's own, asked over HTTP") @Nullable
        Hooks hooks,

        @About(
                "Samples that are older than maxPolicyLag when their turn comes: drop them and ask for the group again; mask their older tokens; or correct: train on all of them, weighed by algorithm.mismatchCorrection")
        StaleSamples staleSamples) {
    public Rollout {
        staleSamples = staleSamples == null ? StaleSamples.DROP : staleSamples;
        partialRollout = partialRollout == null ? PartialRollout.RESTART : partialRollout;
        pauseMode = pauseMode == null ? PauseMode.ABORT : pauseMode;
        dynamicFilter = dynamicFilter == null ? DynamicFilter.NONE : dynamicFilter;
        layout = layout == null ? RolloutLayout.AUTO : layout;
        stop = stop == null ? List.of() : List.copyOf(stop);
        stopTokenIds = stopTokenIds == null ? List.of() : List.copyOf(stopTokenIds);
        stopRegex = stopRegex == null ? List.of() : List.copyOf(stopRegex);
        sglang = sglang == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(sglang));
    }

    /**
     * Whether samples are read while they grow: they must be where their weights may change on the way, and where the beginning
     * that a dead engine leaves is gone on with.
     */
    public boolean streams() {
        return streams(pauseMode, partialRollout);
    }

    /** The same of these two alone. */
    public static boolean streams(PauseMode pauseMode, PartialRollout partialRollout) {
        return pauseMode.goesOn() || partialRollout != PartialRollout.RESTART;
    }

    /** SGLang's names for what {@code /pause_generation} does. */
    public enum PauseMode {
        ABORT,
        RETRACT,
        IN_PLACE;

        /** Whether requests go on in the engine after the pause. */
        public boolean goesOn() {
            return this != ABORT;
        }
    }

    /** What becomes of samples beyond the policy lag. */
    public enum StaleSamples {
        DROP,
        MASK,
        CORRECT
    }

    public enum DynamicFilter {
        NONE,
        NONZERO_STD,
        NONZERO_STD_WITH_FALLBACK
    }

    @About("A response in which model and environment take turns")
    public record Turns(
            @About("The environment: own:NAME, or an http(s) address that takes each turn of the model")
            String hook,

            @About("Turns of the model in one response, at most")
            int maxTurns,

            @About("Seconds that the environment has for one answer")
            int turnTimeoutSeconds) {}

    @About("Functions of one's own with slime's signatures, such as sluice-hooks hosts; each asked over HTTP")
    public record Hooks(
            @About("Generates each response: takes {sample, sampling_params, evaluation, router_url}") @Nullable
            String generate,

            @About("Says whether a scored group is trained on: takes {samples}") @Nullable
            String dynamicFilter,

            @About("Seconds that one call may take") int timeoutSeconds) {}

    public enum PartialRollout {
        RESTART,
        CONTINUE,
        CONTINUE_MASKED
    }

    @About("Layout of an engine; absent values are the planner's choice")
    public record RolloutLayout(
            @About("GPUs of one engine") @Nullable Integer gpusPerEngine,
            @About("Pipeline parallel size") @Nullable Integer pp,

            @About("Data parallel size of attention; 1 for none") @Nullable
            Integer dp,

            @About("Expert parallel size") @Nullable Integer ep,

            @About("Share of a GPU's memory for weights and KV cache") @Nullable
            Double memFractionStatic,

            @About("Largest decoding batch of a rank that is captured as a graph") @Nullable
            Integer cudaGraphMaxBatch,

            @About("Samples an engine runs at once") @Nullable
            Integer maxRunningRequests,

            @About("All-to-all backend, such as none or deepep") @Nullable
            String a2aBackend,

            @About("KV cache's type, such as fp8_e4m3") @Nullable
            String kvCacheDtype) {
        public static final RolloutLayout AUTO =
                new RolloutLayout(null, null, null, null, null, null, null, null, null);
    }

    @About("Speculative decoding")
    public record Speculation(
            @About("EAGLE with the model's own MTP layer, none, or auto: EAGLE where it is predicted to pay")
            SpeculationAlgorithm algorithm,

            @About("Draft tokens a verification") int steps,

            @About("Share of drafts that are accepted, 0 to 1; times are predicted with it")
            double acceptance) {}

    public enum SpeculationAlgorithm {
        NONE,
        EAGLE,
        AUTO
    }
}
