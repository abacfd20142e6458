package dev.sluice.events;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A training request as a client writes it. Defaults stand in {@code request-defaults.yaml} of the planner's rules; here
 * every field is present.
 */
@About("What to train, on what, and how")
public record TrainingRequest(
        @About("A name for people") String name,

        @About("cpu: the embedded engine and worker; gpu: SGLang and Megatron")
        Backend backend,

        @About("The model to start from") Model model,

        @About("Versions of the installed programs, for rules that depend on them")
        Versions versions,

        @About("The machines") Cluster cluster,
        @About("The prompts to train on") Data data,
        @About("How a response is scored") Reward reward,

        @About("Held-out prompt sets, measured before and after training")
        List<Evaluation> evaluation,

        @About("How responses are sampled") Rollout rollout,
        @About("The algorithm and its coefficients") Algorithm algorithm,
        @About("The optimizer and the number of steps") Training training,
        @About("How weights reach the engines") Weights weights,
        @About("When the run is saved") Checkpoints checkpoints) {

    @About("The model to start from")
    public record Model(
            @About("A Hugging Face directory: config.json, tokenizer.json, safetensors")
            String path,

            @About("The directory that engines start from where it is not path, such as an FP8 copy") @Nullable
            String rolloutPath) {}

    @About("Versions of the installed programs")
    public record Versions(
            @About("SGLang version") String sglang,
            @About("Megatron-Core version") String megatron,

            @About("The program that trains and its version or day, such as sluice@0.1 or slime@2026-08-21")
            String trainer) {
        public Versions {
            // Records of this version's first months have none.
            trainer = trainer == null ? "sluice@0.1" : trainer;
        }
    }

    @About("The machines")
    public record Cluster(
            @About(
                    "colocated: rollout and training share the GPUs; disaggregated: separate pools; auto: the faster one")
            Placement placement,

            @About("GPU type and memory, such as H100-80; absent on cpu") @Nullable
            String gpu,

            @About("GPUs in a node") int gpusPerNode,
            @About("Nodes that train") int trainNodes,
            @About("Nodes that sample") int rolloutNodes,

            @About("GPUs that train, where not all of trainNodes; 0 for all")
            int trainGpus,

            @About("GPUs that sample, where not all of rolloutNodes; 0 for all")
            int rolloutGpus,

            @About("Host memory of a node, GiB; 0 where unknown")
            int hostMemoryGiB,

            @About("Free disk space for checkpoints, GiB; 0 where unknown")
            int diskGiB,

            @About("Whether nodes are joined by RDMA") @Nullable
            Boolean rdma,

            @About("Directories that every node sees; none where unknown")
            List<String> sharedRoots,

            @About("Environment variables of engines and workers, of a closed list")
            Map<String, String> environment) {
        public Cluster {
            rdma = rdma == null ? Boolean.TRUE : rdma;
            sharedRoots = sharedRoots == null ? List.of() : List.copyOf(sharedRoots);
            environment = environment == null ? Map.of() : Map.copyOf(environment);
        }
    }

    public enum Placement {
        AUTO,
        COLOCATED,
        DISAGGREGATED
    }

    @About("The prompts to train on")
    public record Data(
            @About("A .jsonl file, one prompt a line") String prompts,
            @About("Key of the prompt in a row") String promptKey,
            @About("Key of the label in a row") String labelKey,

            @About("Wrap prompts in the model's chat template")
            boolean applyChatTemplate,

            @About("Shuffle anew each pass over the rows") boolean shuffle,
            @About("Seed of shuffling and sampling") long seed,

            @About("Longest prompt, tokens; 0 where unknown")
            int maxPromptTokens,

            @About("refuse: a broken row rejects the request; skip: it is left out")
            BadRows badRows,

            @About("Key of a row's metadata, which a row may lack") @Nullable
            String metadataKey,

            @About("Key of the tools in a row, a list of JSON schemas or its text; rows without it have none")
            String toolKey,

            @About("Further variables of the chat template, such as enable_thinking; JSON where it reads as such")
            Map<String, String> chatTemplateArguments) {
        public Data {
            // Records of this version's first months have neither.
            toolKey = toolKey == null ? "tools" : toolKey;
            chatTemplateArguments = chatTemplateArguments == null
                    ? Map.of()
                    : Collections.unmodifiableMap(new LinkedHashMap<>(chatTemplateArguments));
        }

        /** Without tools and further variables of the chat template. */
        public Data(
                String prompts,
                String promptKey,
                String labelKey,
                boolean applyChatTemplate,
                boolean shuffle,
                long seed,
                int maxPromptTokens,
                BadRows badRows) {
            this(
                    prompts,
                    promptKey,
                    labelKey,
                    applyChatTemplate,
                    shuffle,
                    seed,
                    maxPromptTokens,
                    badRows,
                    null,
                    null,
                    null);
        }
    }

    public enum BadRows {
        REFUSE,
        SKIP
    }

    @About("How a response is scored")
    public record Reward(
            @About("exact, math, deepscaler, dapo, f1, gpqa, each also after boxed_; remote; own:NAME; or mixture")
            String type,

            @About("Which number counts of a reward that gives several") @Nullable
            String key,

            @About("Where a remote reward is asked") @Nullable
            String url,

            @About("Seconds it may take") int timeoutSeconds,

            @About("It judges groups as a whole") boolean group,

            @About("The rewards of a mixture, of which the weighted sum counts")
            List<RewardPart> mixture) {
        public Reward {
            mixture = mixture == null ? List.of() : List.copyOf(mixture);
        }

        /** A reward by its name alone. */
        public static Reward named(String type) {
            return new Reward(type, null, null, 0, false, List.of());
        }

        /** What is added up: the mixture's rewards, or this one alone. */
        public List<RewardPart> parts() {
            return mixture.isEmpty() ? List.of(new RewardPart(type, key, url, 1, timeoutSeconds, group)) : mixture;
        }
    }

    @About("One reward of a mixture")
    public record RewardPart(
            @About("Name of the reward, as of a reward that stands alone")
            String type,

            @About("Which number counts of a reward that gives several") @Nullable
            String key,

            @About("Where a remote reward is asked") @Nullable
            String url,

            @About("What its score is multiplied by") double weight,

            @About("Seconds it may take") int timeoutSeconds,

            @About("It judges groups as a whole") boolean group) {}

    @About("A held-out prompt set")
    public record Evaluation(
            @About("Name of the set") String name,

            @About("A .jsonl file with the same keys as data")
            String prompts,

            @About("Measure every so many steps; 0 only before and after")
            int everySteps,

            @About("Responses a prompt") int samplesPerPrompt,
            @About("Longest response, tokens") int maxResponseTokens,
            @About("Sampling temperature; 0 is greedy") double temperature) {}

    @About("How responses are sampled")
    public record Rollout(
            @About("Engines in all; 0 lets the planner choose")
            int engines,

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
            int maxEngines) {
        public Rollout {
            partialRollout = partialRollout == null ? PartialRollout.RESTART : partialRollout;
            pauseMode = pauseMode == null ? PauseMode.ABORT : pauseMode;
            dynamicFilter = dynamicFilter == null ? DynamicFilter.NONE : dynamicFilter;
            layout = layout == null ? RolloutLayout.AUTO : layout;
            stop = stop == null ? List.of() : List.copyOf(stop);
            stopTokenIds = stopTokenIds == null ? List.of() : List.copyOf(stopTokenIds);
            sglang = sglang == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(sglang));
        }

        /**
         * Whether samples are read while they grow: they must be where their weights may change on the way, and where the
         * beginning that a dead engine leaves is gone on with.
         */
        public boolean streams() {
            return streams(pauseMode, partialRollout);
        }

        /** The same of these two alone. */
        public static boolean streams(PauseMode pauseMode, PartialRollout partialRollout) {
            return pauseMode.goesOn() || partialRollout != PartialRollout.RESTART;
        }

        /** Where only the model's own end-of-sequence tokens end a response. */
        public Rollout(
                int engines,
                int groupsPerStep,
                int samplesPerPrompt,
                int maxResponseTokens,
                int meanResponseTokens,
                int maxContextTokens,
                double temperature,
                double topP,
                int topK,
                int maxPolicyLag,
                int oversample,
                int maxRounds,
                int groupDeadlineSeconds,
                int redundantExperts,
                Speculation speculation,
                RolloutLayout layout,
                Map<String, String> sglang) {
            this(
                    engines,
                    groupsPerStep,
                    samplesPerPrompt,
                    maxResponseTokens,
                    meanResponseTokens,
                    maxContextTokens,
                    temperature,
                    topP,
                    topK,
                    maxPolicyLag,
                    oversample,
                    maxRounds,
                    groupDeadlineSeconds,
                    PartialRollout.RESTART,
                    PauseMode.ABORT,
                    DynamicFilter.NONE,
                    redundantExperts,
                    speculation,
                    layout,
                    sglang,
                    List.of(),
                    List.of(),
                    null,
                    0);
        }
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

    public enum PartialRollout {
        RESTART,
        CONTINUE,
        CONTINUE_MASKED
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

    @About("The algorithm and its coefficients")
    public record Algorithm(
            @About("grpo") String name,

            @About("Lower clip distance of the probability ratio")
            double clipLow,

            @About("Upper clip distance of the probability ratio")
            double clipHigh,

            @About("Weight of the KL loss against the reference; 0 computes none")
            double klLossCoefficient,

            @About("Weight of the entropy bonus") double entropyCoefficient,
            @About("Where old log-probabilities come from") OldLogprobs oldLogprobs,

            @About("Divide group rewards by their standard deviation")
            boolean normaliseByStd,

            @About("sample: mean of sample means; token: mean over all tokens")
            LossNormaliser lossNormaliser) {}

    public enum OldLogprobs {
        AUTO,
        RECOMPUTE,
        ROLLOUT,
        CURRENT
    }

    public enum LossNormaliser {
        SAMPLE,
        TOKEN
    }

    @About("The optimizer and the number of steps")
    public record Training(
            @About("Steps; one batch each") int steps,
            @About("Optimizer steps (mini-batches) a step") int optimizerStepsPerStep,
            @About("Learning rate") double learningRate,
            @About("AdamW weight decay") double weightDecay,
            @About("AdamW beta 1") double beta1,
            @About("AdamW beta 2") double beta2,
            @About("AdamW epsilon") double epsilon,

            @About("Gradient norm above which gradients are scaled down")
            double maxGradNorm,

            @About("Training of the MTP layer") Mtp mtp,

            @About("Parallel layout; absent values are the planner's choice")
            Layout layout,

            @About("Further flags of Megatron without dashes, of a closed list")
            Map<String, String> megatron) {
        public Training {
            megatron = megatron == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(megatron));
        }
    }

    @About("Training of the MTP layer")
    public record Mtp(
            @About("Train it, or keep it frozen") boolean train,
            @About("Weight of its loss") double lossScale) {}

    @About("Parallel layout; absent values are the planner's choice")
    public record Layout(
            @About("Tensor parallel size") @Nullable Integer tp,
            @About("Pipeline parallel size") @Nullable Integer pp,
            @About("Context parallel size") @Nullable Integer cp,
            @About("Expert parallel size") @Nullable Integer ep,
            @About("Expert tensor parallel size") @Nullable Integer etp,

            @About("Layers of the first pipeline stage") @Nullable
            Integer firstStageLayers,

            @About("Layers of the last pipeline stage") @Nullable
            Integer lastStageLayers,

            @About("Tokens a GPU takes in one micro-batch") @Nullable
            Integer tokensPerGpu,

            @About("Activations that are computed again") @Nullable
            Recompute recompute,

            @About("Share of Adam's state in host memory, 0 to 1") @Nullable
            Double cpuAdam,

            @About("Precision-aware Adam") @Nullable Boolean precisionAware,

            @About("How tokens reach experts") @Nullable Dispatcher dispatcher) {
        public static final Layout AUTO =
                new Layout(null, null, null, null, null, null, null, null, null, null, null, null);
    }

    public enum Recompute {
        NONE,
        SELECTIVE,
        FULL
    }

    public enum Dispatcher {
        ALLTOALL,
        FLEX
    }

    @About("How weights reach the engines")
    public record Weights(
            @About("auto, disk (all weights), or disk_delta (what changed, where engines hold the version before)")
            Transport transport,

            @About("Publish every so many steps") int everySteps,

            @About("Seconds an engine has to load a version")
            int loadDeadlineSeconds) {}

    public enum Transport {
        AUTO,
        DISK,
        DISK_DELTA
    }

    @About("When the run is saved")
    public record Checkpoints(
            @About("Save every so many steps") int everySteps,
            @About("Cuts to keep") int keepLast) {}
}
