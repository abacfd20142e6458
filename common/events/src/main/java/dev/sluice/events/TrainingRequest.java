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
        @About("When the run is saved") Checkpoints checkpoints,

        @About("What is to happen when a figure of the training gets too large")
        List<Guard> guards,

        @About("Its place among other runs") Scheduling scheduling) {

    public TrainingRequest {
        // Records of this version's first months have none.
        guards = guards == null ? List.of() : List.copyOf(guards);
        scheduling = scheduling == null ? Scheduling.USUAL : scheduling;
    }

    @About("A bound on a figure, and what follows above it")
    public record Guard(
            @About("The figure of a step, such as train/grad_norm (see METRICS.md)")
            String figure,

            @About("Values above this trip it") double above,
            @About("Steps in a row that are above it") int forSteps,
            @About("What follows") GuardAction action,

            @About("Minutes that a paused run waits for somebody before it fails")
            int pauseMinutes) {}

    public enum GuardAction {
        /** It is told, and nothing else. */
        WARN,
        /** No further step is taken until somebody says so. */
        PAUSE,
        /** The run goes on from the last cut before the step, with other groups. */
        ROLLBACK,
        /** The run fails; its cuts stay. */
        FAIL
    }

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

    @About("The optimizer and the number of steps")
    public record Training(
            @About("Steps; one batch each. 0: sample and score only")
            int steps,

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
            Map<String, String> megatron,

            @About("How the samples of an optimizer step become micro-batches")
            Batching batching) {
        public Training {
            megatron = megatron == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(megatron));
            batching = batching == null ? Batching.BY_TOKENS : batching;
        }
    }

    @About("How the samples of an optimizer step become micro-batches")
    public record Batching(
            @About("Samples a micro-batch; absent: as many as fit layout.tokensPerGpu") @Nullable
            Integer microBatchSize,

            @About("Spread micro-batches over data-parallel ranks by their operations, not in turn")
            boolean balanceData,

            @About("Fill micro-batches with equal operations, not each as far as it goes")
            boolean balanceByFlops) {
        /** As many samples as fit, and ranks with equal work. */
        public static final Batching BY_TOKENS = new Batching(null, true, false);
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
            @About(
                    "auto, disk (all weights), disk_delta (what changed, where engines hold the version before), nccl (from GPU to GPU), or tensor (handles of memory, where engines and worker share GPUs)")
            Transport transport,

            @About("Publish every so many steps") int everySteps,

            @About("Seconds an engine has to load a version")
            int loadDeadlineSeconds) {}

    public enum Transport {
        AUTO,
        DISK,
        DISK_DELTA,
        NCCL,
        TENSOR;

        /** Whether weights go from the worker's memory into the engines' without files. */
        public boolean direct() {
            return this == NCCL || this == TENSOR;
        }
    }

    @About("When the run is saved")
    public record Checkpoints(
            @About("Save every so many steps") int everySteps,
            @About("Cuts to keep: the newest so many") int keepLast,

            @About("Cuts to keep besides: those of every so many steps; 0 for none")
            int keepEvery,

            @About(
                    "Cuts to keep besides: so many with the highest mean reward of the evaluations after them; 0 for none")
            int keepBest,

            @About("Write a cut while the next steps train") boolean asynchronous,

            @About("What happens when the disk is full") FullDisk whenDiskIsFull,

            @About("A run that has ended: this one goes on from its newest cut; absent: from the model") @Nullable
            String resumeFrom) {
        public Checkpoints {
            // Records of this version's first months have none.
            whenDiskIsFull = whenDiskIsFull == null ? FullDisk.CONTINUE : whenDiskIsFull;
        }
    }

    /** What becomes of a run whose cut does not fit on the disk; the last one is always waited for. */
    public enum FullDisk {
        /** It trains on without this cut. */
        CONTINUE,
        /** It waits until there is space. */
        WAIT
    }

    @About("Its place among other runs")
    public record Scheduling(
            @About("Runs of a higher one are given instances first")
            int priority,

            @About("Whose quota it counts against; absent: nobody's") @Nullable
            String owner) {
        /** As early as others, against no quota. */
        public static final Scheduling USUAL = new Scheduling(0, null);
    }
}
